"""The figures of one evaluation, counted from its list of candidates."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from sscd.evaluation.candidates import Candidates
from sscd.evaluation.macro_ap import macro_ap
from sscd.evaluation.metrics import recall_at_precision, recall_at_rank


@dataclass(frozen=True)
class CopyFigures:
    """The figures of one evaluation, with what they were counted over.

    Attributes:
        micro_ap: Micro-AP over the candidate list.
        macro_ap: Mean over the queries with a true pair of the AP of their own candidates.
        recall_at_p90: Highest recall at a precision of at least 0.9.
        threshold_at_p90: Score from which pairs are accepted there; inf where nothing reaches it.
        recall_at_1: Share of true pairs that are their query's first candidate.
        recall_at_10: Share of true pairs among their query's first ten candidates.
        queries: Queries that were searched.
        references: References that were searched; None where predictions do not say.
        true_pairs: Pairs of the ground truth, found or not.
        unlisted_queries: Queries left out because the ground truth does not speak of them.
        missing_queries: Queries the ground truth names that have no descriptor.
        missing_pairs: True pairs, counted as missed, of which a picture has no descriptor.
        protocol: How the candidates were chosen; stand it beside the figures.
    """

    micro_ap: float
    macro_ap: float
    recall_at_p90: float
    threshold_at_p90: float
    recall_at_1: float
    recall_at_10: float
    queries: int
    references: int | None
    true_pairs: int
    unlisted_queries: int
    missing_queries: int
    missing_pairs: int
    protocol: str

    def as_log(self) -> dict[str, float]:
        """Return what a logger takes: the figures that vary from epoch to epoch."""
        return {
            "micro_ap": self.micro_ap,
            "macro_ap": self.macro_ap,
            "recall_at_p90": self.recall_at_p90,
            "threshold_at_p90": self.threshold_at_p90,
            "recall_at_1": self.recall_at_1,
            "recall_at_10": self.recall_at_10,
        }

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values; a threshold that does not exist is None."""
        threshold = self.threshold_at_p90 if isfinite(self.threshold_at_p90) else None
        return asdict(self) | {"threshold_at_p90": threshold}


def figures_of(
    candidates: Candidates,
    *,
    queries: int,
    references: int | None,
    unlisted_queries: int,
    missing_queries: int,
    missing_pairs: int,
    protocol: str,
) -> CopyFigures:
    """Count the figures of a list of candidates.

    Args:
        candidates: The list.
        queries: Queries that were searched.
        references: References that were searched; None where that is not known.
        unlisted_queries: As in `CopyFigures`.
        missing_queries: As in `CopyFigures`.
        missing_pairs: As in `CopyFigures`.
        protocol: How the candidates were chosen.

    Raises:
        ValueError: There is no true pair, or a score is NaN.
    """
    query, scores, correct = candidates.query, candidates.scores, candidates.correct
    true_pairs = candidates.true_pairs
    curve = candidates.curve()
    recall, threshold = recall_at_precision(curve, 0.9)
    return CopyFigures(
        micro_ap=curve.average_precision(),
        macro_ap=macro_ap(query, scores, correct, true_counts=candidates.true_counts),
        recall_at_p90=recall,
        threshold_at_p90=threshold,
        recall_at_1=recall_at_rank(query, scores, correct, rank=1, true_pairs=true_pairs),
        recall_at_10=recall_at_rank(query, scores, correct, rank=10, true_pairs=true_pairs),
        queries=queries,
        references=references,
        true_pairs=true_pairs,
        unlisted_queries=unlisted_queries,
        missing_queries=missing_queries,
        missing_pairs=missing_pairs,
        protocol=protocol,
    )
