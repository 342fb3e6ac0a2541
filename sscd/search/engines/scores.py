"""What a pair scores."""

import torch
from torch import Tensor

from sscd.search.options import Metric

# So many pairs at once that their rows stay in the cache, or fill a GPU.
_CHUNK = {"cpu": 1024, "cuda": 65_536}


def pair_scores(
    queries: Tensor, references: Tensor, pairs: tuple[Tensor, Tensor], *, metric: Metric
) -> Tensor:
    """Score chosen pairs by the definition, each alone.

    Sums run in float64, so that a score depends neither on the pairs beside it nor on the device:
    equal vectors tie, and the L2 score of a vector with itself is 0.

    Args:
        queries: (n, D) float32.
        references: (m, D) float32.
        pairs: Rows of the queries and rows of the references, (c,) int64 each.
        metric: Inner product, or L2, whose score is minus the squared distance.

    Returns:
        (c,) float32.
    """
    rows, columns = pairs
    scores = torch.empty(len(rows), dtype=torch.float32, device=queries.device)
    chunk = _CHUNK[queries.device.type]
    for start in range(0, len(rows), chunk):
        part = slice(start, start + chunk)
        query = queries.index_select(0, rows[part])
        reference = references.index_select(0, columns[part])
        terms = query.mul_(reference) if metric == "inner_product" else query.sub_(reference)
        if metric == "l2":
            terms = terms.square_().neg_()
        scores[part] = terms.sum(dim=1, dtype=torch.float64)
    return scores.add_(0.0)  # a negative zero becomes zero, and ties with it
