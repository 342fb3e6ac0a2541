"""ASMK as its equations read, one picture, word and pair at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Setting:
    """Numbers that a search is made with."""

    alpha: float = 3.0
    threshold: float = 0.0
    assignments: int = 1


def signs_by_word(
    descriptors: Floats, centroids: Floats, assignments: int
) -> dict[int, NDArray[np.int64]]:
    """Word → the signs (D,), ±1, of the sum of its residuals."""
    sums: dict[int, NDArray[np.float64]] = {}
    for descriptor in descriptors.astype(np.float64):
        distances = ((centroids.astype(np.float64) - descriptor) ** 2).sum(axis=1)
        for word in np.argsort(distances, kind="stable")[:assignments].tolist():
            residual = descriptor - centroids[word]
            sums[word] = sums.get(word, np.zeros(len(residual))) + residual
    return {word: np.where(total > 0, 1, -1) for word, total in sums.items()}


def similarity(
    one: dict[int, NDArray[np.int64]], other: dict[int, NDArray[np.int64]], setting: Setting
) -> float:
    """The normalised similarity of two pictures."""
    own = _kernel(one, one, setting) * _kernel(other, other, setting)
    return _kernel(one, other, setting) / own**0.5 if own else 0.0


def _kernel(
    one: dict[int, NDArray[np.int64]], other: dict[int, NDArray[np.int64]], setting: Setting
) -> float:
    total = 0.0
    for word in one.keys() & other.keys():
        cosine = float(one[word] @ other[word]) / len(one[word])
        if cosine > setting.threshold:
            total += cosine**setting.alpha
    return total


def random_pictures(seed: int, sizes: list[int], dims: int, *, scale: float = 1.0) -> list[Floats]:
    """Local descriptors of pictures, that lie about a few places."""
    rng = np.random.default_rng(seed)
    places = np.random.default_rng(99).standard_normal((12, dims))
    return [
        (places[rng.integers(0, 12, size)] + scale * rng.standard_normal((size, dims))).astype(
            np.float32
        )
        for size in sizes
    ]
