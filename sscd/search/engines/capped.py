"""The globally best pairs by matrix products, on CPUs and on GPUs that share the references."""

from collections.abc import Sequence

import torch

from sscd.search.engines.devices import precisions, search_settings
from sscd.search.engines.sampling import guess_threshold
from sscd.search.engines.scores import pair_scores
from sscd.search.engines.screen import Rows, Screen
from sscd.search.engines.shortlist import Shortlist
from sscd.search.engines.streams import Turns, read_ahead
from sscd.search.engines.sweep import Visit, sweep
from sscd.search.options import Metric
from sscd.vectors import Vectors


def search_pairs(
    queries: Vectors,
    references: Vectors,
    *,
    limit: int,
    metric: Metric,
    floor: float,
    within: bool,
    devices: Sequence[torch.device],
) -> Shortlist:
    """Search all pairs for the `limit` best; a pair's number is query · R + reference.

    The threshold starts from a guess, and the search is done again without one where that was too
    high.

    Args:
        queries: (Q, D), Q at least 1.
        references: (R, D), R at least 1.
        limit: Pairs wanted, at least 1.
        metric: How they are compared.
        floor: Least score of a pair.
        within: Both are the same set, and only pairs of a row with a later one count.
        devices: At least one; they share the references.

    Raises:
        ValueError: A value is not finite.
    """
    count, others = len(queries), len(references)
    total = count * (count - 1) // 2 if within else count * others
    with search_settings(devices[0].type) as jobs:
        guess = floor
        if limit < total:
            guess = guess_threshold(queries, references, limit=limit, metric=metric, within=within)
        for threshold in (max(guess, floor), floor):
            shortlist = Shortlist(min(limit, total), threshold=threshold)
            fill(
                shortlist,
                queries,
                references,
                metric=metric,
                within=within,
                devices=devices,
                jobs=jobs,
            )
            if len(shortlist) >= min(limit, total) or threshold == floor:
                break
    return shortlist


def fill(
    shortlist: Shortlist,
    queries: Vectors,
    references: Vectors,
    *,
    metric: Metric,
    within: bool,
    devices: Sequence[torch.device],
    jobs: int,
) -> None:
    """Offer every pair that can reach the shortlist's threshold to it; arguments as above."""
    names = ("vectors", "vectors") if within else ("queries", "references")

    def begin(device: torch.device) -> Visit:
        screen = Screen(precisions(device))

        def visit(query: Rows, reference: Rows) -> None:
            if within and reference.stop <= query.start + 1:
                return
            bound = query.product_at(shortlist.threshold)
            for rows, columns in screen.candidates(query, reference, bound):
                numbers = (rows + query.start) * len(references) + columns + reference.start
                scores = pair_scores(
                    query.vectors, reference.vectors, (rows, columns), metric=metric
                )
                if within:
                    later = columns + reference.start > rows + query.start
                    scores, numbers = scores[later], numbers[later]
                shortlist.add(scores.cpu().numpy(), numbers.cpu().numpy())

        return visit

    for block in read_ahead(queries, name=names[0]):
        first = block[0] if within else 0
        turns = Turns(read_ahead(references, name=names[1], start=first))
        sweep(block, turns, devices, metric=metric, begin=begin, jobs=jobs)
