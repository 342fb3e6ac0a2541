"""Macro-AP (mAP): the mean over queries of the average precision of each query's own list.

Only the order within a query counts, not whether scores of different queries can be compared
(DISC21, Douze et al. 2021, section 4.4); queries without a true pair have no AP and are left out.
"""

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.marking import Indices, Marks
from sscd.evaluation.ranking import Scores, rank_within_queries


def macro_ap(query: Indices, scores: Scores, correct: Marks, *, true_counts: Indices) -> float:
    """Return the mean AP of the queries that have a true pair.

    AP of a query is Σ p(i) over its right candidates, divided by the number of its true pairs,
    found or not. Ties within a query are ordered worst first.

    Args:
        query: (n,) indices from 0 to Q - 1.
        scores: (n,) bigger is better.
        correct: (n,) whether the pair is in the ground truth.
        true_counts: (Q,) number of true pairs of each query, found or not.

    Raises:
        ValueError: There is no true pair, a query has more right candidates than true pairs, a
            score is NaN, or the arrays do not match.

    >>> query, scores = np.array([0, 0, 1]), np.array([0.9, 0.8, 0.1])
    >>> macro_ap(query, scores, np.array([False, True, True]), true_counts=np.array([1, 1, 0]))
    0.75
    """
    order, place = rank_within_queries(query, scores, correct)
    queries = len(true_counts)
    if query.size and not 0 <= query.min() <= query.max() < queries:
        raise ValueError(f"got queries {query.min()} to {query.max()} and {queries} counts")
    if (np.bincount(query[correct], minlength=queries) > true_counts).any():
        raise ValueError("got more right candidates of a query than it has true pairs")
    judged = np.flatnonzero(true_counts)
    if not judged.size:
        raise ValueError("got 0 true pairs; expected at least 1")
    hits = correct[order]
    found = np.cumsum(hits)
    of_earlier_queries: NDArray[np.int64] = (found - hits)[np.arange(len(order)) - place]
    precision = (found - of_earlier_queries) / (place + 1)
    sums = np.bincount(query[order], weights=np.where(hits, precision, 0), minlength=queries)
    return float(np.mean(sums[judged] / true_counts[judged]))
