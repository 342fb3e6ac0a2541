"""Paired bootstrap over queries: how far a figure, or a difference of two, can be trusted.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile intervals. Queries are
drawn with replacement; a drawn query brings all its candidate pairs and all its true pairs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.candidates import Candidates
from sscd.evaluation.metrics import recall_at_precision
from sscd.evaluation.ranking import ranking

Figure = Literal["micro_ap", "recall_at_p90"]
# (weights (n,) in ranking order, positions of the right pairs) → the figure times the true pairs.
Watch = Callable[[range], Iterable[int]]
"""What the numbers of the resamples go through, so that somebody can see how far they are."""
_Sum = Callable[[NDArray[np.int64], NDArray[np.int64]], float]


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
    candidates: Candidates,
    *,
    samples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    watch: Watch = iter,
) -> Interval:
    """Return micro-AP with its bootstrap interval.

    Raises:
        ValueError: `samples` or `confidence` is out of range, or there is no true pair.
    """
    return _interval_of(candidates, "micro_ap", samples, seed, confidence, watch)


def recall_at_p90_interval(
    candidates: Candidates,
    *,
    samples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    watch: Watch = iter,
) -> Interval:
    """Return recall at 90 % precision with its bootstrap interval.

    Every resample has a threshold of its own, that at which its precision is 90 %.

    Raises:
        ValueError: As `micro_ap_interval`.
    """
    return _interval_of(candidates, "recall_at_p90", samples, seed, confidence, watch)


def paired_difference(
    a: Candidates,
    b: Candidates,
    *,
    figure: Figure = "micro_ap",
    samples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    watch: Watch = iter,
) -> Interval:
    """Return a figure of `a` minus that of `b`, both on the same resampled queries.

    Raises:
        ValueError: The two are not about the same queries and true pairs, or as
            `micro_ap_interval`.
    """
    _check_paired(a, b)
    of_a, of_b = _resampled([a, b], figure, samples=samples, seed=seed, watch=watch)
    return _interval(_estimate(a, figure) - _estimate(b, figure), of_a - of_b, confidence)


def mean_difference(
    ours: Sequence[Candidates],
    theirs: Sequence[Candidates] = (),
    *,
    figure: Figure = "micro_ap",
    samples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Return the mean figure of some systems less that of others, on the same resampled queries.

    For trainings that differ in their seeds alone: the interval is over queries, not over seeds.

    Args:
        ours: One or more.
        theirs: What their mean is compared with; with none the mean of `ours` itself is meant.
        figure: Which figure.
        samples: Resamples.
        seed: Of the resamples.
        confidence: Of the interval.

    Raises:
        ValueError: As `paired_difference`, or `ours` is empty.
    """
    systems = [*ours, *theirs]
    if not ours:
        raise ValueError("ours got no candidates; expected those of one system or more")
    for one in systems[1:]:
        _check_paired(systems[0], one)
    draws = _resampled(systems, figure, samples=samples, seed=seed, watch=iter)
    estimates = np.array([[_estimate(one, figure)] for one in systems])
    weights = np.repeat([1 / len(ours), -1 / max(len(theirs), 1)], [len(ours), len(theirs)])
    return _interval(float((weights @ estimates)[0]), weights @ draws, confidence)


def _check_paired(a: Candidates, b: Candidates) -> None:
    if a.query_ids != b.query_ids or not np.array_equal(a.true_counts, b.true_counts):
        raise ValueError("got candidates of different queries or truth; expected the same of both")


def _interval_of(
    candidates: Candidates,
    figure: Figure,
    samples: int,
    seed: int,
    confidence: float,
    watch: Watch,
) -> Interval:
    draws = _resampled([candidates], figure, samples=samples, seed=seed, watch=watch)[0]
    return _interval(_estimate(candidates, figure), draws, confidence)


def _estimate(candidates: Candidates, figure: Figure) -> float:
    curve = candidates.curve()
    if figure == "micro_ap":
        return curve.average_precision()
    return recall_at_precision(curve, 0.9)[0]


def _interval(estimate: float, draws: NDArray[np.float64], confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"got confidence {confidence}; expected between 0 and 1")
    used = draws[~np.isnan(draws)]
    if used.size == 0:
        raise ValueError(f"got no true pair in any of {len(draws)} resamples; expected some")
    tail = (1 - confidence) / 2
    low, high = np.quantile(used, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high), confidence, int(used.size))


def _resampled(
    systems: Sequence[Candidates], figure: Figure, *, samples: int, seed: int, watch: Watch
) -> NDArray[np.float64]:
    """Return the figure (systems, samples); NaN where a resample has no true pair."""
    if samples < 1:
        raise ValueError(f"got {samples} samples; expected at least 1")
    add_up: _Sum = _sum_of_precisions if figure == "micro_ap" else _found_at_p90
    rng = np.random.default_rng(seed)
    total = len(systems[0].query_ids)
    ordered = []
    for system in systems:
        order = ranking(system.scores, system.correct)
        ordered.append((system.query[order], np.flatnonzero(system.correct[order])))
    result = np.full((len(systems), samples), np.nan)
    for sample in watch(range(samples)):
        weights = np.bincount(rng.integers(total, size=total), minlength=total)
        true_pairs = int(weights @ systems[0].true_counts)
        if true_pairs:
            for row, (query, right) in enumerate(ordered):
                result[row, sample] = add_up(weights[query], right) / true_pairs
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


def _found_at_p90(weights: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Return the right pairs found at 90 % precision in such a list.

    A right pair that was not drawn stands where the precision is no higher than after the drawn
    one before it, so that it is never what decides.
    """
    found = np.cumsum(weights[right])
    listed = np.cumsum(weights)[right]
    reached = np.flatnonzero(found / np.maximum(listed, 1) >= 0.9)
    return float(found[reached[-1]]) if reached.size else 0.0
