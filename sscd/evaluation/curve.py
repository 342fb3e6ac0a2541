"""Right and wrong pairs at or above a score: the curve that a threshold walks along, thinned."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.candidates import Candidates

POINTS = 1000


@dataclass(frozen=True)
class Curve:
    """Counts at m thresholds, each exact; between two of them the curve is not drawn.

    Attributes:
        scores: (m,) falling; accept the pairs whose score is at least this.
        right: (m,) right pairs accepted, rising.
        wrong: (m,) wrong pairs accepted, rising.
        true_pairs: Pairs of the ground truth, found or not.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.int64]
    wrong: NDArray[np.int64]
    true_pairs: int

    @property
    def precision(self) -> NDArray[np.float64]:
        """(m,) share of the accepted pairs that are right."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> NDArray[np.float64]:
        """(m,) share of the true pairs that are accepted."""
        return self.right / self.true_pairs

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "scores": self.scores.tolist(),
            "right": self.right.tolist(),
            "wrong": self.wrong.tolist(),
            "true_pairs": self.true_pairs,
        }


def thinned_curve(candidates: Candidates, *, points: int = POINTS) -> Curve:
    """Keep of all thresholds those that show the curve.

    They are spread evenly over the right pairs, and evenly over the logarithm of the wrong ones,
    since what matters of those are the first few. First and last stay.

    Args:
        candidates: Scored pairs.
        points: How many thresholds at most, about; at least 2.

    Raises:
        ValueError: There is no true pair, a score is NaN, or `points` is below 2.
    """
    if points < 2:
        raise ValueError(f"got {points} points; expected at least 2")
    walked = candidates.curve()
    found = np.cumsum(walked.correct, dtype=np.int64)
    # A threshold accepts all pairs of its score: only the last of a tie is one.
    ends = np.flatnonzero(np.append(walked.scores[1:] != walked.scores[:-1], True))
    ends = ends[: len(walked.scores)]
    right = found[ends]
    wrong = ends + 1 - right
    kept = _spread(right, wrong, points) if len(ends) > points else np.arange(len(ends))
    return Curve(
        scores=walked.scores[ends[kept]].astype(np.float64),
        right=right[kept],
        wrong=wrong[kept],
        true_pairs=candidates.true_pairs,
    )


def _spread(right: NDArray[np.int64], wrong: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    half = max(points // 2, 1)
    by_right = np.searchsorted(right, np.linspace(right[0], right[-1], half))
    by_wrong = np.searchsorted(np.log1p(wrong), np.linspace(0, np.log1p(wrong[-1]), half))
    chosen = np.concatenate([by_right, by_wrong, [0, len(right) - 1]])
    return np.unique(np.minimum(chosen, len(right) - 1))
