"""Paired bootstrap over queries: how far a micro-AP, or a difference of two, can be trusted.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile intervals. Queries are
drawn with replacement; a drawn query brings all its candidate pairs and all its true pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.metrics import Marks, Scores, precision_recall, ranking


@dataclass(frozen=True)
class Candidates:
    """The scored pairs of one system over Q queries, n pairs in all.

    Attributes:
        query_ids: Q ids.
        query: (n,) index into `query_ids`.
        reference: (n,) row of the reference.
        scores: (n,) bigger is better.
        correct: (n,) whether the pair is in the ground truth.
        true_counts: (Q,) number of true pairs of each query, found or not.
    """

    query_ids: tuple[str, ...]
    query: NDArray[np.int64]
    reference: NDArray[np.int64]
    scores: Scores
    correct: Marks
    true_counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        lengths = {len(self.query), len(self.reference), len(self.scores), len(self.correct)}
        if len(lengths) != 1 or len(self.true_counts) != len(self.query_ids):
            raise ValueError(
                f"got arrays of {sorted(lengths)} pairs, {len(self.query_ids)} queries and "
                f"{len(self.true_counts)} counts; expected equal lengths"
            )


@dataclass(frozen=True)
class Interval:
    """An estimate with a percentile interval.

    Attributes:
        estimate: The figure on the queries themselves.
        low: Lower end.
        high: Upper end.
        confidence: Share of resamples between the ends.
        samples: Resamples the ends come from. Those without any true pair are left out, so it can
            be smaller than what was asked for where very few queries have a copy.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    samples: int


def micro_ap_interval(
    candidates: Candidates, *, samples: int = 1000, seed: int = 0, confidence: float = 0.95
) -> Interval:
    """Return micro-AP with its bootstrap interval.

    Raises:
        ValueError: `samples` or `confidence` is out of range, or there is no true pair.
    """
    draws = _resampled([candidates], samples=samples, seed=seed)[0]
    return _interval(_estimate(candidates), draws, confidence)


def paired_difference(
    a: Candidates, b: Candidates, *, samples: int = 1000, seed: int = 0, confidence: float = 0.95
) -> Interval:
    """Return micro-AP of `a` minus that of `b`, both on the same resampled queries.

    Raises:
        ValueError: The two are not about the same queries and true pairs, or as
            `micro_ap_interval`.
    """
    if a.query_ids != b.query_ids or not np.array_equal(a.true_counts, b.true_counts):
        raise ValueError("got candidates of different queries or truth; expected the same of both")
    of_a, of_b = _resampled([a, b], samples=samples, seed=seed)
    return _interval(_estimate(a) - _estimate(b), of_a - of_b, confidence)


def _estimate(candidates: Candidates) -> float:
    true_pairs = int(candidates.true_counts.sum())
    curve = precision_recall(candidates.scores, candidates.correct, true_pairs=true_pairs)
    return curve.average_precision()


def _interval(estimate: float, draws: NDArray[np.float64], confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"got confidence {confidence}; expected between 0 and 1")
    used = draws[~np.isnan(draws)]
    if used.size == 0:
        raise ValueError(f"got no true pair in any of {len(draws)} resamples; expected some")
    tail = (1 - confidence) / 2
    low, high = np.quantile(used, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high), confidence, int(used.size))


def _resampled(systems: Sequence[Candidates], *, samples: int, seed: int) -> NDArray[np.float64]:
    """Return micro-AP (systems, samples); NaN where a resample has no true pair."""
    if samples < 1:
        raise ValueError(f"got {samples} samples; expected at least 1")
    rng = np.random.default_rng(seed)
    total = len(systems[0].query_ids)
    ordered = []
    for system in systems:
        order = ranking(system.scores, system.correct)
        ordered.append((system.query[order], np.flatnonzero(system.correct[order])))
    result = np.full((len(systems), samples), np.nan)
    for sample in range(samples):
        weights = np.bincount(rng.integers(total, size=total), minlength=total)
        true_pairs = int(weights @ systems[0].true_counts)
        if true_pairs:
            for row, (query, right) in enumerate(ordered):
                result[row, sample] = _sum_of_precisions(weights[query], right) / true_pairs
    return result


def _sum_of_precisions(weights: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Return Σ p(i) over the right pairs of a list in which pair i stands `weights[i]` times.

    The copies of a right pair follow one another: the list is sorted with wrong pairs first among
    equal scores, and repeating its entries keeps it so.

    Args:
        weights: (n,) in ranking order.
        right: Positions of the right pairs, rising.
    """
    copies = weights[right]
    listed_before = np.cumsum(weights)[right] - copies
    right_before = np.cumsum(copies) - copies
    total = 0.0
    for copy in range(1, int(copies.max(initial=0)) + 1):
        drawn = copies >= copy
        total += float(np.sum((right_before[drawn] + copy) / (listed_before[drawn] + copy)))
    return total
