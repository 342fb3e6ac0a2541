"""A guess at the score that the best pairs reach, so that a search need not start from nothing."""

import math

import numpy as np
import torch

from sscd.search.engines.streams import read_rows
from sscd.search.options import Metric
from sscd.vectors import Vectors

_QUERIES = 512
_LEAST_PAIRS, _MOST_PAIRS = 1 << 18, 1 << 22
_MOST_REFERENCES = 65_536
_EXPECTED = 64  # wanted pairs in a sample
_PIECE = 64  # rows that are read together


def guess_threshold(
    queries: Vectors, references: Vectors, *, limit: int, metric: Metric, within: bool
) -> float:
    """Guess, rather too low, the score of the `limit`-th best pair from a random sample of pairs.

    Args:
        queries: (Q, D).
        references: (R, D).
        limit: Pairs wanted.
        metric: How rows are compared.
        within: Both are the same set, and only pairs of a row with a later one count.

    Returns:
        The guess, -inf where the sample is too small for one.
    """
    count, others = len(queries), len(references)
    total = count * (count - 1) // 2 if within else count * others
    size = min(max(_EXPECTED * total // limit, _LEAST_PAIRS), _MOST_PAIRS)
    rng = np.random.default_rng(0)
    names = ("vectors", "vectors") if within else ("queries", "references")
    rows, query = _sample(queries, names[0], min(count, _QUERIES), rng)
    asked = min(-(-size // len(rows)), _MOST_REFERENCES)
    columns, reference = _sample(references, names[1], asked, rng)
    products = query @ reference.T
    if metric == "l2":
        products.mul_(2).sub_(query.square().sum(1)[:, None]).sub_(reference.square().sum(1))
    scores = products[rows[:, None] < columns] if within else products.flatten()
    expected = limit / total * len(scores)
    rank = math.ceil(1.5 * expected + 4 * math.sqrt(expected) + 4)
    if rank > len(scores):
        return -math.inf
    # The products of this guess are a little off, and equal scores shall not fall below it.
    slack = 1e-5 * float(query.square().sum(1).max() + reference.square().sum(1).max())
    return float(scores.topk(rank).values[-1]) - slack


def _sample(
    vectors: Vectors, name: str, size: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers and rows of a random sample, in pieces of neighbouring rows."""
    pieces = -(-len(vectors) // _PIECE)
    starts = _PIECE * np.sort(rng.choice(pieces, min(pieces, -(-size // _PIECE)), replace=False))
    read = [read_rows(vectors, start, _PIECE, name) for start in starts.tolist()]
    numbers = [start + np.arange(len(rows)) for start, rows in zip(starts, read, strict=True)]
    return torch.from_numpy(np.concatenate(numbers)), torch.from_numpy(np.concatenate(read))
