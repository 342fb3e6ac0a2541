"""Every tile of queries against every tile of references, on all devices."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from sscd.search.engines.devices import precisions, workers
from sscd.search.engines.screen import Rows, Side
from sscd.search.engines.streams import Block, Turns, take_turns
from sscd.search.options import Metric

TILE = {"cpu": (256, 8192), "cuda": (4096, 16_384)}
"""Most queries and references of a tile; on a CPU, products that stay near a core."""

Visit = Callable[[Rows, Rows], None]


def sweep(
    queries: Block,
    references: Turns,
    devices: Sequence[torch.device],
    *,
    metric: Metric,
    begin: Callable[[torch.device], Visit],
    jobs: int,
) -> None:
    """Visit all pairs of tiles; devices take blocks of references in turn.

    Args:
        queries: Number of the first, and (Q, D) float32.
        references: Their blocks.
        devices: At least one.
        metric: How rows are compared.
        begin: Called once a device; makes what is called with each pair of tiles there. Several
            threads of a CPU call that at once, always with different queries.
        jobs: Threads of a CPU.
    """

    def sweep_on(device: torch.device) -> None:
        high, wide = TILE[device.type]
        if device.type == "cpu":
            high = min(high, -(-len(queries[1]) // jobs))
        visit = begin(device)
        with workers(device, jobs) as each:
            asked = list(each(_tiles(queries, "queries", device, metric), _cuts(queries, high)))
            for block in references:
                tile = _tiles(block, "references", device, metric)
                given = list(each(tile, _cuts(block, wide)))
                list(each(partial(_visit_all, visit, given), asked))

    take_turns(sweep_on, devices, references)


def _cuts(block: Block, size: int) -> list[slice]:
    return [slice(first, first + size) for first in range(0, len(block[1]), size)]


def _tiles(
    block: Block, side: Side, device: torch.device, metric: Metric
) -> Callable[[slice], Rows]:
    """Copy a block to a device; return what cuts tiles from it."""
    vectors = torch.from_numpy(np.require(block[1], requirements=["W"])).to(device)
    dtype = precisions(device)[0]

    def tile(cut: slice) -> Rows:
        rows = Rows(vectors[cut], start=block[0] + cut.start, side=side, metric=metric)
        rows.operand(dtype)
        return rows

    return tile


def _visit_all(visit: Visit, references: list[Rows], query: Rows) -> None:
    for reference in references:
        visit(query, reference)
