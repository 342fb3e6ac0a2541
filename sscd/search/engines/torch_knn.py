"""k nearest neighbours by matrix products, on CPUs and on GPUs that share the references."""

from collections.abc import Sequence

import torch

from sscd.search.engines.best import MOST_REFERENCES, Best
from sscd.search.engines.devices import precisions, search_settings
from sscd.search.engines.scores import pair_scores
from sscd.search.engines.screen import Rows, Screen
from sscd.search.engines.streams import Block, Turns, read_ahead
from sscd.search.engines.sweep import Visit, sweep
from sscd.search.neighbours import Neighbours
from sscd.search.options import Metric
from sscd.vectors import Vectors


def nearest_torch(
    queries: Block,
    references: Vectors,
    *,
    k: int,
    metric: Metric,
    devices: Sequence[torch.device],
) -> Neighbours:
    """Return (Q, k) scores and references; ties go to the lower reference.

    Tiles are screened in low precision against each query's k-th best score so far, and what may
    pass it is scored in float32.

    Args:
        queries: Number of the first, and (Q, D) float32.
        references: R of them, k at most.
        k: Neighbours a query.
        metric: How they are compared.
        devices: At least one; each keeps (Q, k) integers and a block of references.

    Raises:
        ValueError: A value is not finite, or there are more than 4,294,967,295 references.
    """
    if len(references) > MOST_REFERENCES:
        raise ValueError(f"got {len(references)} references; expected at most {MOST_REFERENCES}")
    found: list[Best] = []

    def begin(device: torch.device) -> Visit:
        best = Best(len(queries[1]), k, device)
        screen = Screen(precisions(device))
        found.append(best)

        def visit(query: Rows, reference: Rows) -> None:
            kept = slice(query.start - queries[0], query.stop - queries[0])
            bound = query.product_at(best.worst(kept))
            for pairs in screen.candidates(query, reference, bound, k=k):
                scores = pair_scores(query.vectors, reference.vectors, pairs, metric=metric)
                best.add(kept, pairs[0], pairs[1] + reference.start, scores)

        return visit

    turns = Turns(read_ahead(references, name="references"))
    with search_settings(devices[0].type) as jobs:
        sweep(queries, turns, devices, metric=metric, begin=begin, jobs=jobs)
        for other in found[1:]:
            found[0].merge(other)
        scores, indices = found[0].result()
    return Neighbours(scores.cpu().numpy(), indices.cpu().numpy())
