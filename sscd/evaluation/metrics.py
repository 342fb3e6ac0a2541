"""Micro-AP and its relatives: scored (query, reference) pairs in, figures out.

Every candidate pair of every query stands in one list by falling score; pairs with equal scores
are ordered worst first, so that a tie never flatters (DISC21, Douze et al. 2021, section 5).
All functions are pure and vectorised; n is the number of candidate pairs.
"""

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.marking import Indices, Marks, mark_correct, mark_correct_ids
from sscd.evaluation.ranking import Scores, rank_within_queries, ranking
from sscd.evaluation.string_ids import Ids


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall after each candidate pair, in the order of `ranking`.

    Attributes:
        precision: (n,) float64, share of right pairs among the first i.
        recall: (n,) float64, share of the ground truth's pairs found among the first i.
        scores: (n,) falling.
        correct: (n,) whether the i-th pair is right.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    scores: Scores
    correct: Marks

    def average_precision(self) -> float:
        """Return Σ p(i)·Δr(i), the area under the curve."""
        return float(self.precision @ np.diff(self.recall, prepend=0.0))


def precision_recall(scores: Scores, correct: Marks, *, true_pairs: int) -> PrecisionRecall:
    """Walk down the list of candidate pairs.

    Args:
        scores: (n,) bigger is better.
        correct: (n,) bool, whether the pair is in the ground truth.
        true_pairs: Number of pairs in the ground truth, found or not.

    Raises:
        ValueError: `true_pairs` is 0 or smaller than the number of right candidates.
    """
    order = ranking(scores, correct)
    right = correct[order]
    found = np.cumsum(right)
    _check_true_pairs(true_pairs, found=int(right.sum()))
    return PrecisionRecall(
        precision=found / np.arange(1, len(right) + 1),
        recall=found / true_pairs,
        scores=scores[order],
        correct=right,
    )


def micro_ap(query: Indices, reference: Indices, scores: Scores, *, truth: Indices) -> float:
    """Return micro-AP, Σ p(i)·Δr(i) over one list of all pairs (DISC21 paper, section 5).

    Args:
        query: (n,) indices of queries.
        reference: (n,) indices of references.
        scores: (n,) bigger is better.
        truth: (m, 2) the right (query, reference) pairs.

    Raises:
        ValueError: A pair occurs twice, an index is negative, a score is NaN or `truth` is empty.

    >>> truth = np.array([[0, 7], [1, 8]])
    >>> micro_ap(np.array([0, 1, 1]), np.array([7, 7, 8]), np.array([0.9, 0.8, 0.7]), truth=truth)
    0.8333333333333333
    """
    correct = mark_correct(query, reference, truth=truth)
    return precision_recall(scores, correct, true_pairs=len(truth)).average_precision()


def micro_ap_of_ids(
    query_ids: Ids, reference_ids: Ids, scores: Scores, *, truth: AbstractSet[tuple[str, str]]
) -> float:
    """Return `micro_ap` of pairs named by their ids, as in a track-1 file.

    Args:
        query_ids: n ids, strings or an array of fixed-width bytes (which is faster).
        reference_ids: n ids, of either kind.
        scores: (n,) bigger is better.
        truth: The right (query id, reference id) pairs.

    Raises:
        UserError: A pair occurs twice; it is named.
        ValueError: As `micro_ap`.
    """
    correct = mark_correct_ids(query_ids, reference_ids, truth=truth)
    return precision_recall(scores, correct, true_pairs=len(truth)).average_precision()


def recall_at_precision(curve: PrecisionRecall, precision: float = 0.9) -> tuple[float, float]:
    """Return the highest recall whose precision is at least `precision`, and its threshold.

    Accepting every pair with `score >= threshold` gives exactly this recall, ties included.

    Returns:
        (recall, threshold); (0, inf) where no threshold reaches the precision.
    """
    # Wrong pairs lead a tie, so precision rises over its right ones: the last of them ends the tie.
    reached = np.flatnonzero(curve.correct & (curve.precision >= precision))
    if reached.size == 0:
        return 0.0, math.inf
    return float(curve.recall[reached[-1]]), float(curve.scores[reached[-1]])


def recall_at_rank(
    query: Indices, scores: Scores, correct: Marks, *, rank: int, true_pairs: int
) -> float:
    """Return the share of true pairs that are among the first `rank` of their query.

    Ties within a query are ordered worst first.

    Raises:
        ValueError: `rank` is not positive, `true_pairs` too small, or the arrays do not match.
    """
    if rank < 1:
        raise ValueError(f"got rank {rank}; expected at least 1")
    _check_true_pairs(true_pairs, found=int(correct.sum()))
    order, place = rank_within_queries(query, scores, correct)
    return float(np.count_nonzero(correct[order] & (place < rank)) / true_pairs)


def _check_true_pairs(true_pairs: int, *, found: int) -> None:
    if true_pairs < max(found, 1):
        raise ValueError(f"got {true_pairs} true pairs; expected at least {max(found, 1)}")
