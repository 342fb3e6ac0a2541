"""Descriptors or predictions to figures, by one of two protocols.

SSCD's takes 10 neighbours a query (SSCD, Pizzi et al. 2022, section 5); the challenge's takes the
globally best 500,000 pairs (DISC21, Douze et al. 2021). Figures of the two do not compare: the name
of the protocol stands beside every figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.candidates import (
    Candidates,
    FoundPairs,
    candidates_of,
    candidates_of_ids,
)
from sscd.evaluation.figures import CopyFigures, figures_of
from sscd.evaluation.listing import check_truth, check_width, listed_rows, missing, none_listed
from sscd.evaluation.origins import check_same_origin
from sscd.evaluation.ranking import Scores
from sscd.evaluation.string_ids import Ids
from sscd.search.knn import nearest
from sscd.search.neighbours import Neighbours
from sscd.search.options import Device, Engine, Metric
from sscd.search.pairs import CHALLENGE_LIMIT, Pairs, best_pairs
from sscd.vectors import in_memory

Protocol = Literal["neighbours", "global"]
ListKind = Literal["neighbours", "global", "predictions"]
"""How a list of candidates came about: by a protocol, or as a track-1 file has them."""


@dataclass(frozen=True)
class Evaluation:
    """Figures, and the candidate pairs they come from (for the bootstrap and for plots).

    Attributes:
        figures: The figures.
        candidates: Scored pairs, marked right or wrong.
        reference_ids: The id of each row that `candidates.reference` counts.
        kind: How the candidates came about.
        warnings: What to say beside the figures.
    """

    figures: CopyFigures
    candidates: Candidates
    reference_ids: Sequence[str]
    kind: ListKind
    warnings: tuple[str, ...] = ()


def evaluate_descriptors(
    queries: Descriptors,
    references: Descriptors,
    truth: GroundTruth,
    *,
    protocol: Protocol = "neighbours",
    k: int = 10,
    limit: int = CHALLENGE_LIMIT,
    metric: Metric = "l2",
    device: Device = "auto",
    engine: Engine = "auto",
) -> Evaluation:
    """Search, and judge what was found.

    Queries the ground truth does not list are left out and counted. True pairs of which a picture
    has no descriptor count as missed. Recall at a rank is over the candidates that there are.

    Args:
        queries: Q descriptors, brought to memory.
        references: R descriptors of the same dimension, read in blocks.
        truth: The right pairs, and the queries it speaks of.
        protocol: The k nearest references of each query, or the globally best pairs.
        k: Candidates a query; at least 10, cut to R. For "neighbours" alone.
        limit: How many pairs are kept of all. For "global" alone.
        metric: How descriptors are compared.
        device: Where the search runs.
        engine: What searches for neighbours.

    Raises:
        UserError: The two were made by different models or settings or differ in D, no query is
            listed, or the ground truth holds no pair.
        ValueError: k is below 10 or the descriptors are not finite.
    """
    if protocol == "neighbours" and k < 10:
        raise ValueError(f"got k={k}; expected at least 10, which recall at rank 10 needs")
    warning = check_same_origin(queries.origin, references.origin)
    check_width(queries, references)
    check_truth(truth)
    rows = listed_rows(queries.ids, truth)
    vectors = in_memory(queries.vectors)
    vectors = vectors if len(rows) == len(vectors) else vectors[rows]
    if protocol == "neighbours":
        name = f"{k} neighbours a query"
        found = _neighbours(
            nearest(vectors, references.vectors, k=k, metric=metric, device=device, engine=engine)
        )
    else:
        name = global_name(limit)
        best = best_pairs(vectors, references.vectors, limit=limit, metric=metric, device=device)
        found = (best.query, best.reference, best.scores)
    candidates = candidates_of([queries.ids[row] for row in rows], references.ids, found, truth)
    missing_queries, missing_pairs = missing(queries.ids, references.ids, truth)
    figures = figures_of(
        candidates,
        queries=len(rows),
        references=len(references.ids),
        unlisted_queries=len(queries.ids) - len(rows),
        missing_queries=missing_queries,
        missing_pairs=missing_pairs,
        protocol=name,
    )
    warnings = () if warning is None else (warning,)
    return Evaluation(figures, candidates, references.ids, protocol, warnings)


def evaluate_pairs(
    query_ids: Ids,
    reference_ids: Ids,
    scores: Scores,
    truth: GroundTruth,
    *,
    references: int | None = None,
) -> Evaluation:
    """Judge predictions, as of a track-1 file, by the pairs that it holds.

    Queries that the ground truth does not list are left out and counted. All others it names are
    counted as searched: a query without a prediction cannot be told from one that was left out.

    Args:
        query_ids: n ids, strings or an array of fixed-width bytes.
        reference_ids: n ids, of either kind.
        scores: (n,) bigger is better.
        truth: The right pairs, and the queries it speaks of.
        references: How many references were searched, where it is known.

    Raises:
        UserError: A pair occurs twice, no query is listed, or the ground truth holds no pair.
        ValueError: A score is NaN, or there are not n of each.
    """
    check_truth(truth)
    candidates, names, unlisted = candidates_of_ids(query_ids, reference_ids, scores, truth)
    if not candidates.scores.size:
        raise none_listed(unlisted)
    figures = figures_of(
        candidates,
        queries=len(candidates.query_ids),
        references=references,
        unlisted_queries=unlisted,
        missing_queries=0,
        missing_pairs=0,
        protocol=f"{len(query_ids):,} predicted pairs",
    )
    return Evaluation(figures, candidates, names, "predictions")


def evaluate_found(
    query_ids: Sequence[str],
    reference_ids: Sequence[str],
    pairs: Pairs,
    truth: GroundTruth,
    *,
    limit: int = CHALLENGE_LIMIT,
) -> Evaluation:
    """Judge the globally best pairs that a system has found.

    Args:
        query_ids: The queries that were searched, which `pairs.query` counts. The list is the
            challenge's where the ground truth speaks of all of them: pairs of the others are left
            out of it, and took room.
        reference_ids: The references that were searched, which `pairs.reference` counts.
        pairs: The `limit` best pairs of all.
        truth: The right pairs, and the queries it speaks of.
        limit: How many pairs were asked for.

    Raises:
        UserError: No query is listed, or the ground truth holds no pair.
        ValueError: A pair was found twice, or a score is NaN.
    """
    check_truth(truth)
    rows = np.array(listed_rows(query_ids, truth), dtype=np.int64)
    place = np.full(len(query_ids), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    kept = place[pairs.query] >= 0
    found = (place[pairs.query][kept], pairs.reference[kept], pairs.scores[kept])
    candidates = candidates_of([query_ids[row] for row in rows], reference_ids, found, truth)
    missing_queries, missing_pairs = missing(query_ids, reference_ids, truth)
    figures = figures_of(
        candidates,
        queries=len(rows),
        references=len(reference_ids),
        unlisted_queries=len(query_ids) - len(rows),
        missing_queries=missing_queries,
        missing_pairs=missing_pairs,
        protocol=global_name(limit),
    )
    return Evaluation(figures, candidates, reference_ids, "global")


def global_name(limit: int) -> str:
    """What the challenge's protocol is called beside figures."""
    return f"the globally best {limit:,} pairs"


def _neighbours(found: Neighbours) -> FoundPairs:
    rows, k = found.indices.shape
    return np.repeat(np.arange(rows), k), found.indices.ravel(), found.scores.ravel()
