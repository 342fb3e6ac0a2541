"""Descriptors to figures by SSCD's protocol: 10 neighbours a query, exact search, micro-AP."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.bootstrap import Candidates
from sscd.evaluation.metrics import (
    mark_correct,
    precision_recall,
    recall_at_precision,
    recall_at_rank,
)
from sscd.search.knn import Device, Metric, Neighbours, nearest


@dataclass(frozen=True)
class CopyFigures:
    """The figures of one evaluation, with what they were counted over.

    Attributes:
        micro_ap: Micro-AP over the candidate list.
        recall_at_p90: Highest recall at a precision of at least 0.9.
        threshold_at_p90: Score from which pairs are accepted there; inf where nothing reaches it.
        recall_at_1: Share of true pairs that are their query's first candidate.
        recall_at_10: Share of true pairs among their query's first ten candidates.
        queries: Queries that were searched.
        references: References that were searched.
        true_pairs: Pairs of the ground truth, found or not.
        unlisted_queries: Queries left out because the ground truth does not speak of them.
        missing_queries: Queries the ground truth names that have no descriptor.
        missing_pairs: True pairs, counted as missed, of which a picture has no descriptor.
        protocol: How the candidates were chosen; stand it beside the figures.
    """

    micro_ap: float
    recall_at_p90: float
    threshold_at_p90: float
    recall_at_1: float
    recall_at_10: float
    queries: int
    references: int
    true_pairs: int
    unlisted_queries: int
    missing_queries: int
    missing_pairs: int
    protocol: str

    def as_log(self) -> dict[str, float]:
        """Return what a logger takes: the figures that vary from epoch to epoch."""
        return {
            "micro_ap": self.micro_ap,
            "recall_at_p90": self.recall_at_p90,
            "threshold_at_p90": self.threshold_at_p90,
            "recall_at_1": self.recall_at_1,
            "recall_at_10": self.recall_at_10,
        }


@dataclass(frozen=True)
class Evaluation:
    """Figures, and the candidate pairs they come from (for the bootstrap and for plots)."""

    figures: CopyFigures
    candidates: Candidates


def evaluate_descriptors(
    queries: Descriptors,
    references: Descriptors,
    truth: GroundTruth,
    *,
    k: int = 10,
    metric: Metric = "l2",
    device: Device = "auto",
) -> Evaluation:
    """Judge descriptors by the protocol "10 neighbours a query" (SSCD paper, section 5).

    Each query's k nearest references are its candidates; all candidates make one list. Queries the
    ground truth does not list are left out and counted. True pairs of which a picture has no
    descriptor count as missed.

    Args:
        queries: Q descriptors.
        references: R descriptors of the same dimension.
        truth: The right pairs, and the queries it speaks of.
        k: Candidates a query; at least 10, cut to R.
        metric: How descriptors are compared.
        device: Where the search runs.

    Raises:
        UserError: No query is listed, or the ground truth holds no pair.
        ValueError: k is below 10 or the descriptors are not finite.
    """
    if k < 10:
        raise ValueError(f"got k={k}; expected at least 10, which recall at rank 10 needs")
    if not truth.pairs:
        raise UserError("the ground truth holds no (query, reference) pair; micro-AP needs one")
    rows = _listed_rows(queries, truth)
    found = nearest(queries.vectors[rows], references.vectors, k=k, metric=metric, device=device)
    candidates = _candidates([queries.ids[row] for row in rows], references.ids, found, truth)
    missing = _missing_pairs(queries, references, truth)
    named = {query for query, _ in truth.pairs} | (truth.listed or frozenset())
    figures = _figures(
        candidates,
        queries=len(rows),
        references=len(references.ids),
        unlisted_queries=len(queries.ids) - len(rows),
        missing_queries=len(named - set(queries.ids)),
        missing_pairs=missing,
        protocol=f"{k} neighbours a query",
    )
    return Evaluation(figures, candidates)


def _listed_rows(queries: Descriptors, truth: GroundTruth) -> list[int]:
    listed = truth.listed
    rows = [row for row, name in enumerate(queries.ids) if listed is None or name in listed]
    if not rows:
        raise UserError(
            f"none of the {len(queries.ids)} queries is listed in the ground truth; "
            "check that both belong to the same set"
        )
    return rows


def _missing_pairs(queries: Descriptors, references: Descriptors, truth: GroundTruth) -> int:
    known_queries, known_references = set(queries.ids), set(references.ids)
    return sum(q not in known_queries or r not in known_references for q, r in truth.pairs)


def _candidates(
    query_ids: Sequence[str], reference_ids: Sequence[str], found: Neighbours, truth: GroundTruth
) -> Candidates:
    # Queries without a descriptor stay in the list: their true pairs are missed, not forgotten.
    named = truth.listed or frozenset()
    everyone = sorted({*query_ids, *named, *(query for query, _ in truth.pairs)})
    number = {name: index for index, name in enumerate(everyone)}
    reference_number = {name: index for index, name in enumerate(reference_ids)}
    searched = np.array([number[name] for name in query_ids], dtype=np.int64)
    query, reference = np.repeat(searched, found.indices.shape[1]), found.indices.ravel()
    pairs = [(number[q], reference_number.get(r, -1)) for q, r in truth.pairs]
    pairs_array = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    present = pairs_array[pairs_array[:, 1] >= 0]
    return Candidates(
        query_ids=tuple(everyone),
        query=query,
        reference=reference,
        scores=found.scores.ravel(),
        correct=mark_correct(query, reference, truth=present),
        true_counts=np.bincount(pairs_array[:, 0], minlength=len(everyone)),
    )


def _figures(
    candidates: Candidates,
    *,
    queries: int,
    references: int,
    unlisted_queries: int,
    missing_queries: int,
    missing_pairs: int,
    protocol: str,
) -> CopyFigures:
    query, scores, correct = candidates.query, candidates.scores, candidates.correct
    true_pairs = int(candidates.true_counts.sum())
    curve = precision_recall(scores, correct, true_pairs=true_pairs)
    recall, threshold = recall_at_precision(curve, 0.9)
    return CopyFigures(
        micro_ap=curve.average_precision(),
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
