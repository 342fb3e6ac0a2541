"""How the scores of copies and of non-copies are spread."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.candidates import Candidates
from sscd.evaluation.ranking import Scores, rank_within_queries

BINS = 60


@dataclass(frozen=True)
class ScoreHistogram:
    """Counts of pairs by score, in b bins of equal width.

    Attributes:
        edges: (b + 1,) rising.
        copies: (b,) right pairs among the candidates.
        non_copies: (b,) queries by the score of their best wrong candidate, which is what a
            threshold has to keep out.
    """

    edges: NDArray[np.float64]
    copies: NDArray[np.int64]
    non_copies: NDArray[np.int64]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "edges": self.edges.tolist(),
            "copies": self.copies.tolist(),
            "non_copies": self.non_copies.tolist(),
        }


def score_histogram(candidates: Candidates, *, bins: int = BINS) -> ScoreHistogram:
    """Count the right pairs, and each query's best wrong one.

    Raises:
        ValueError: `bins` is below 1, there is no candidate, or scores cannot be drawn.
    """
    scores = candidates.scores.astype(np.float64)
    if bins < 1 or not can_be_drawn(scores):
        raise ValueError(f"got {bins} bins, {len(scores)} scores; expected some, all finite")
    copies = scores[candidates.correct]
    wrong = np.flatnonzero(~candidates.correct)
    order, place = rank_within_queries(
        candidates.query[wrong], candidates.scores[wrong], candidates.correct[wrong]
    )
    non_copies = scores[wrong[order[place == 0]]]
    shown = np.concatenate([copies, non_copies])
    edges = _edges(shown, bins)
    return ScoreHistogram(
        edges=edges,
        copies=np.histogram(copies, edges)[0].astype(np.int64),
        non_copies=np.histogram(non_copies, edges)[0].astype(np.int64),
    )


def can_be_drawn(scores: Scores) -> bool:
    """Whether scores are finite, and so is the distance from the lowest to the highest."""
    values = scores.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(len(values)) and bool(np.isfinite(np.ptp(values)))


def _edges(shown: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Rising edges, also where scores are so near that no float lies between two of them."""
    low, high = float(shown.min()), float(shown.max())
    least = 2 * bins * float(np.spacing(max(abs(low), abs(high))))
    if high - low < least:
        half = max(0.5, least)
        low, high = low - half, high + half
    return np.linspace(low, high, bins + 1)
