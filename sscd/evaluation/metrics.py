"""Micro-AP and its relatives: scored (query, reference) pairs in, figures out.

Every candidate pair of every query stands in one list by falling score; pairs with equal scores
are ordered worst first, so that a tie never flatters (DISC21, Douze et al. 2021, section 5).
All functions are pure and vectorised; n is the number of candidate pairs.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError

Scores = NDArray[np.floating[Any]]
Indices = NDArray[np.integer[Any]]
Marks = NDArray[np.bool_]


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
    return np.lexsort((correct, -scores)).astype(np.int64, copy=False)


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
    query_ids: Sequence[str],
    reference_ids: Sequence[str],
    scores: Scores,
    *,
    truth: AbstractSet[tuple[str, str]],
) -> float:
    """Return `micro_ap` of pairs named by their ids, as in a track-1 file.

    Args:
        query_ids: n ids.
        reference_ids: n ids.
        scores: (n,) bigger is better.
        truth: The right (query id, reference id) pairs.

    Raises:
        UserError: A pair occurs twice.
        ValueError: As `micro_ap`.
    """
    if len(query_ids) != len(reference_ids):
        raise ValueError(f"got {len(query_ids)} query and {len(reference_ids)} reference ids")
    query_codes: dict[Hashable, int] = {}
    reference_codes: dict[Hashable, int] = {}
    query = _encode(query_ids, query_codes)
    reference = _encode(reference_ids, reference_codes)
    right = sorted(truth)
    pairs = np.stack(
        [
            _encode((pair[0] for pair in right), query_codes),
            _encode((pair[1] for pair in right), reference_codes),
        ],
        axis=1,
    )
    twice = _first_duplicate(_pair_keys(query, reference, width=len(reference_codes)))
    if twice is not None:
        raise UserError(
            f"the pair {query_ids[twice]},{reference_ids[twice]} occurs more than once among the "
            "predictions; keep one score a pair"
        )
    return micro_ap(query, reference, scores, truth=pairs)


def mark_correct(query: Indices, reference: Indices, *, truth: Indices) -> Marks:
    """Return (n,) bool: which (query, reference) pairs are among the (m, 2) `truth` pairs.

    Raises:
        ValueError: A pair occurs twice, in the list or in the truth, or an index is negative.
    """
    if query.ndim != 1 or query.shape != reference.shape:
        raise ValueError(f"got query {query.shape} and reference {reference.shape}; expected (n,)")
    if truth.ndim != 2 or truth.shape[1] != 2:
        raise ValueError(f"got truth {truth.shape}; expected (m, 2)")
    width = 1 + int(max(reference.max(initial=0), truth[:, 1].max(initial=0)))
    keys = _pair_keys(query, reference, width=width)
    true_keys = _pair_keys(truth[:, 0], truth[:, 1], width=width)
    for name, pair_keys in (("candidates", keys), ("truth", true_keys)):
        twice = _first_duplicate(pair_keys)
        if twice is not None:
            pair = divmod(int(pair_keys[twice]), width)
            raise ValueError(f"got the pair {pair} more than once in {name}; expected it once")
    return np.isin(keys, true_keys)


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
    if query.shape != scores.shape:
        raise ValueError(f"got query {query.shape} and scores {scores.shape}; expected (n,)")
    _check_true_pairs(true_pairs, found=int(correct.sum()))
    order = ranking(scores, correct)
    order = order[np.argsort(query[order], kind="stable")]
    by_query = query[order]
    place = np.arange(len(order)) - np.searchsorted(by_query, by_query, side="left")
    return float(np.count_nonzero(correct[order] & (place < rank)) / true_pairs)


def _check_true_pairs(true_pairs: int, *, found: int) -> None:
    if true_pairs < max(found, 1):
        raise ValueError(f"got {true_pairs} true pairs; expected at least {max(found, 1)}")


def _encode(ids: Iterable[Hashable], codes: dict[Hashable, int]) -> NDArray[np.int64]:
    return np.array([codes.setdefault(item, len(codes)) for item in ids], dtype=np.int64)


def _pair_keys(query: Indices, reference: Indices, *, width: int) -> NDArray[np.int64]:
    if min(query.min(initial=0), reference.min(initial=0)) < 0:
        raise ValueError("got a negative index; expected indices from 0")
    if (int(query.max(initial=0)) + 1) * width > np.iinfo(np.int64).max:
        raise ValueError(f"got indices up to {query.max()} and {width}; expected smaller ones")
    return query.astype(np.int64) * width + reference.astype(np.int64)


def _first_duplicate(keys: NDArray[np.int64]) -> int | None:
    values, first, counts = np.unique(keys, return_index=True, return_counts=True)
    return None if len(values) == len(keys) else int(first[counts > 1].min())
