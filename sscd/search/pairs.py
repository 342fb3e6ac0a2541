"""Exact search for the globally best pairs, as the challenge ranks them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.search.engines.streams import require_one_width
from sscd.search.options import Device, Metric
from sscd.vectors import Vectors

CHALLENGE_LIMIT = 500_000
"""Pairs that the Image Similarity Challenge lets a run submit (DISC21 paper, section 6)."""


@dataclass(frozen=True)
class Pairs:
    """n pairs by falling score; equal scores by query, then by reference.

    Attributes:
        query: (n,) int64, rows of the queries.
        reference: (n,) int64, rows of the references.
        scores: (n,) float32; for L2 minus the *squared* distance.
    """

    query: NDArray[np.int64]
    reference: NDArray[np.int64]
    scores: NDArray[np.float32]


def best_pairs(
    queries: Vectors,
    references: Vectors,
    *,
    limit: int = CHALLENGE_LIMIT,
    metric: Metric = "l2",
    device: Device = "auto",
    floor: float = -np.inf,
) -> Pairs:
    """Return the `limit` pairs of highest score among all queries and references, exactly.

    Both sides are read in blocks of 65,536 rows. At most 2 · limit + 65,536 pairs are kept while
    the threshold rises to the last of the best, and each thread looks at a million candidates at
    once, whatever the scores are; memory does not grow with the references. Ties at the cut go to
    the lowest query, then to the lowest reference.

    Args:
        queries: (Q, D), an array or rows on disk.
        references: (R, D).
        limit: Pairs wanted; all that there are, where there are fewer.
        metric: Inner product, or L2, whose score is minus the squared distance, as track 2 ranks.
        device: "auto" takes all GPUs, which share the references, or the CPU.
        floor: Pairs below this score are left out.

    Raises:
        ValueError: Shapes do not match, `limit` is not positive, or a value is not finite.
        UserError: `device` is "cuda" and PyTorch sees no GPU.
    """
    return _search(queries, references, limit, metric, device, floor, within=False)


def best_pairs_within(
    vectors: Vectors,
    *,
    limit: int,
    metric: Metric = "l2",
    device: Device = "auto",
    floor: float = -np.inf,
) -> Pairs:
    """Return the `limit` pairs of highest score among the rows of one set, query < reference.

    Only tiles that hold such pairs are computed; for the rest as `best_pairs`.

    Args:
        vectors: (n, D), an array or rows on disk.
        limit: Pairs wanted; all that there are, where there are fewer.
        metric: Inner product or L2.
        device: "auto" takes all GPUs, or the CPU.
        floor: Pairs below this score are left out.

    Raises:
        ValueError: The shape is not (n, D), `limit` is not positive, or a value is not finite.
        UserError: `device` is "cuda" and PyTorch sees no GPU.
    """
    return _search(vectors, vectors, limit, metric, device, floor, within=True)


def merge_pairs(parts: Sequence[Pairs], *, limit: int) -> Pairs:
    """Return the `limit` best of what several searches found; their rows count in the whole."""
    every = [*parts, _none()]
    query = np.concatenate([part.query for part in every])
    reference = np.concatenate([part.reference for part in every])
    scores = np.concatenate([part.scores for part in every])
    order = np.lexsort((reference, query, -scores))[:limit]
    return Pairs(query[order], reference[order], scores[order])


def _search(
    queries: Vectors,
    references: Vectors,
    limit: int,
    metric: Metric,
    device: Device,
    floor: float,
    *,
    within: bool,
) -> Pairs:
    from sscd.search.engines.capped import search_pairs
    from sscd.search.engines.devices import devices_of

    require_one_width(queries, references)
    if limit < 1:
        raise ValueError(f"got limit={limit}; expected at least 1")
    devices = devices_of(device)
    if len(queries) == 0 or len(references) == 0:
        return _none()
    found = search_pairs(
        queries,
        references,
        limit=limit,
        metric=metric,
        floor=floor,
        within=within,
        devices=devices,
    )
    scores, numbers = found.result()
    return Pairs(numbers // len(references), numbers % len(references), scores)


def _none() -> Pairs:
    return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
