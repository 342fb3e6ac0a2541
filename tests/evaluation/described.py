"""Random descriptors, and queries that are noisy copies of them."""

import numpy as np
from numpy.typing import NDArray

from sscd.data.descriptors import Descriptors
from sscd.evaluation.protocol import Protocol
from sscd.vectors import in_memory

PROTOCOLS: tuple[Protocol, ...] = ("neighbours", "global")


def unit(count: int, *, seed: int, dims: int = 24) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)
    result: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def named(prefix: str, vectors: NDArray[np.float32]) -> Descriptors:
    return Descriptors([f"{prefix}{i:03d}" for i in range(len(vectors))], vectors)


def copies(
    count: int, references: Descriptors, *, noise: float
) -> tuple[Descriptors, frozenset[tuple[str, str]]]:
    """The first half of the queries are noisy copies of the references of the same number."""
    vectors = unit(count, seed=1)
    half = count // 2
    vectors[:half] = in_memory(references.vectors)[:half] + noise * vectors[:half]
    queries = named("Q", vectors)
    return queries, frozenset((f"Q{i:03d}", f"R{i:03d}") for i in range(half))
