"""The order of candidate pairs: by falling score, and worst first where scores are equal."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.marking import Indices, Marks, pair_keys

Scores = NDArray[np.floating[Any]]


def ranking(scores: Scores, correct: Marks) -> NDArray[np.int64]:
    """Return the order (n,) by falling score, wrong pairs first among equals.

    Raises:
        ValueError: A score is NaN, or the arrays do not match.

    >>> ranking(np.array([0.5, 0.9, 0.5]), np.array([True, True, False])).tolist()
    [1, 2, 0]
    """
    if scores.ndim != 1 or scores.shape != correct.shape:
        raise ValueError(f"got scores {scores.shape} and correct {correct.shape}; expected (n,)")
    if np.isnan(scores).any():
        raise ValueError(f"score {int(np.isnan(scores).argmax())} is NaN; expected numbers")
    # Two plain sorts, the second of which puts ties in order, are faster than one stable one.
    order = np.argsort(-scores)
    falling = scores[order]
    lower = np.zeros(len(scores), dtype=np.bool_)
    lower[1:] = falling[1:] != falling[:-1]
    level = np.cumsum(lower)
    count = max(len(scores), 1)
    return np.sort((2 * level + correct[order]) * count + order) % count


def rank_within_queries(
    query: Indices, scores: Scores, correct: Marks
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order (n,) by query, then as `ranking`, and each pair's place (n,) there from 0.

    Raises:
        ValueError: A score is NaN, or the arrays do not match.

    >>> order, place = rank_within_queries(
    ...     np.array([1, 0, 1]), np.array([0.1, 0.2, 0.3]), np.array([True, False, False])
    ... )
    >>> order.tolist(), place.tolist()
    ([1, 2, 0], [0, 0, 1])
    """
    if query.shape != scores.shape:
        raise ValueError(f"got query {query.shape} and scores {scores.shape}; expected (n,)")
    order = ranking(scores, correct)
    count = max(len(order), 1)
    by_place = np.sort(pair_keys(query[order], np.arange(len(order)), width=count))
    order, by_query = order[by_place % count], by_place // count
    starts = np.flatnonzero(np.diff(by_query, prepend=by_query[:1] - 1))
    lengths = np.diff(starts, append=len(order))
    return order, np.arange(len(order)) - np.repeat(starts, lengths)
