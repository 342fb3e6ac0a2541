"""From which score on to call two pictures copies, for a precision and a number of references.

An evaluation counts right and wrong pairs at or above every score. By the arithmetic of the DISC21
paper (section 4.4) N times the references have the same right pairs and N times the wrong ones, so
that T right and F wrong pairs make the precision T / (T + N·F). A cell is only as good as F: the
relative error of a count is 1/√F (Poisson), 32 % at ten.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sscd.errors import UserError
from sscd.evaluation.candidates import Candidates
from sscd.evaluation.extrapolation import check_times

PRECISIONS = (0.9, 0.95, 0.99, 0.999)
SCALES = (1.0, 10.0, 1000.0)
ENOUGH_WRONG = 10
"""Fewest observed wrong pairs that support a threshold: a relative error of 1/√10, 32 %."""


@dataclass(frozen=True)
class Threshold:
    """A score from which pairs are accepted, and what it rests on.

    Attributes:
        precision: What was asked for.
        scale: How many times the references of the evaluation.
        threshold: Accept pairs whose score is at least this; inf where nothing reaches `precision`.
        recall: Share of the true pairs that are accepted.
        wrong: Wrong pairs among the evaluation's candidates that would be accepted.
    """

    precision: float
    scale: float
    threshold: float
    recall: float
    wrong: int

    @property
    def supported(self) -> bool:
        """Whether enough wrong pairs were seen at this threshold to believe its precision."""
        return math.isfinite(self.threshold) and self.wrong >= ENOUGH_WRONG

    @property
    def note(self) -> str:
        """Why the threshold is not supported, in words; empty where it is."""
        if self.supported:
            return ""
        if not math.isfinite(self.threshold):
            return f"no score reaches {self.precision:.6g} precision at {self.scale:g}x references"
        pairs = "wrong pair" if self.wrong == 1 else "wrong pairs"
        return (
            f"rests on {self.wrong} {pairs} at this score or above; fewer than {ENOUGH_WRONG} "
            "leave an error of more than 32 %"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values; the threshold is None where nothing reaches the precision."""
        return {
            "precision": self.precision,
            "scale": self.scale,
            "threshold": self.threshold if math.isfinite(self.threshold) else None,
            "recall": self.recall,
            "wrong": self.wrong,
            "supported": self.supported,
            "note": self.note,
        }


@dataclass(frozen=True)
class OperatingPoints:
    """The scores that are the best threshold for some precision and scale, falling.

    A score is left out where a lower one has no larger share of wrong pairs: whatever precision the
    former reaches, the latter reaches too, with more recall.

    Attributes:
        scores: m scores of right pairs, falling.
        right: Right pairs at or above each, rising.
        wrong: Wrong pairs at or above each, rising.
        true_pairs: Pairs of the ground truth, found or not.
    """

    scores: tuple[float, ...]
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    true_pairs: int


def operating_points(candidates: Candidates) -> OperatingPoints:
    """Find the scores that can be a threshold.

    Raises:
        ValueError: There is no true pair, or a score is NaN.
    """
    curve = candidates.curve()
    place = np.flatnonzero(curve.correct)
    right = np.arange(1, len(place) + 1)
    wrong = place + 1 - right
    share = wrong / right
    # Within a tie the wrong pairs lead, so that only its last right pair can be below all others.
    best_below = np.minimum.accumulate(np.append(share[1:], np.inf)[::-1])[::-1]
    kept = np.flatnonzero(share < best_below)
    return OperatingPoints(
        scores=tuple(curve.scores[place[kept]].astype(np.float64).tolist()),
        right=tuple(right[kept].tolist()),
        wrong=tuple(wrong[kept].tolist()),
        true_pairs=candidates.true_pairs,
    )


def threshold_for(
    source: Candidates | OperatingPoints, *, precision: float, scale: float = 1.0
) -> Threshold:
    """Return the lowest threshold that reaches a precision at `scale` times the references.

    It is the score of a right pair: lower scores down to the next right pair would accept no more
    right pairs. At scale 1 and precision 0.9 it is the threshold of recall at P90. Where the
    mixture of copies and distractors among the queries stays, `scale` is the number of references
    divided by that of the evaluation, whatever the number of queries.

    Args:
        source: The candidates of an evaluation, or what was kept of them.
        precision: Share of accepted pairs that must be right.
        scale: N, any positive number.

    Raises:
        UserError: `precision` is not a share above 0, or `scale` is not positive.
        ValueError: As `operating_points`.
    """
    if not 0 < precision <= 1:
        raise UserError(f"precision {precision}: give a share above 0 and up to 1, such as 0.99")
    check_times(scale)
    points = operating_points(source) if isinstance(source, Candidates) else source
    right, wrong = np.array(points.right, dtype=np.float64), np.array(points.wrong)
    reached = np.flatnonzero(right / (right + scale * wrong) >= precision)
    if not reached.size:
        return Threshold(precision, scale, math.inf, recall=0.0, wrong=0)
    last = int(reached[-1])
    return Threshold(
        precision,
        scale,
        points.scores[last],
        recall=points.right[last] / points.true_pairs,
        wrong=points.wrong[last],
    )


def threshold_table(
    source: Candidates | OperatingPoints,
    *,
    precisions: Sequence[float] = PRECISIONS,
    scales: Sequence[float] = SCALES,
) -> tuple[Threshold, ...]:
    """Return `threshold_for` every precision and, within it, every scale.

    Raises:
        UserError: As `threshold_for`.
        ValueError: As `operating_points`.
    """
    points = operating_points(source) if isinstance(source, Candidates) else source
    return tuple(
        threshold_for(points, precision=precision, scale=scale)
        for precision in precisions
        for scale in scales
    )
