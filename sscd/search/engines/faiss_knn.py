"""k nearest neighbours by FAISS, block by block, on its CPU threads or on all its GPUs."""

from typing import Any

import numpy as np

from sscd.errors import UserError
from sscd.search.engines.devices import gpu_numbers
from sscd.search.engines.streams import Block, Turns, read_ahead, take_turns
from sscd.search.neighbours import Neighbours, merge_neighbours
from sscd.search.options import Device, Metric
from sscd.vectors import Vectors

MOST_ON_GPU = 2048
"""Neighbours that FAISS can find on a GPU."""


def faiss_gpus() -> int:
    """How many GPUs FAISS sees; 0 where it cannot be imported or is built for CPUs."""
    try:
        import faiss
    except ImportError:
        return 0
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def nearest_faiss(
    queries: Block, references: Vectors, *, k: int, metric: Metric, device: Device
) -> Neighbours:
    """Return the k references of highest score for each query, as FAISS computes them.

    Args:
        queries: Number of the first, and (Q, D); Q at least 1.
        references: R of them; GPUs take blocks of them in turn.
        k: Neighbours a query, R at most, and `MOST_ON_GPU` on a GPU.
        metric: How they are compared.
        device: "auto" takes all GPUs that FAISS sees.

    Raises:
        ImportError: FAISS is missing.
        UserError: `device` is "cuda" and FAISS sees no GPU.
        ValueError: A value is not finite.
    """
    import faiss

    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    sign = -1 if metric == "l2" else 1
    gpus = gpu_numbers(faiss_gpus() if device != "cpu" else 0)
    if device == "cuda" and not gpus:
        raise UserError("device cuda: FAISS sees no GPU; use device auto, or engine torch")
    turns = Turns(read_ahead(references, name="references"))

    def run(gpu: int | None) -> Neighbours | None:
        best: Neighbours | None = None
        resources: Any = None if gpu is None else faiss.StandardGpuResources()
        for start, block in turns:
            most = min(k, len(block))
            if gpu is None:
                values, indices = faiss.knn(queries[1], block, most, metric=kind)
            else:
                values, indices = faiss.knn_gpu(
                    resources, queries[1], block, most, metric=kind, device=gpu
                )
            part = Neighbours(sign * values + np.float32(0), indices + start)
            best = part if best is None else merge_neighbours([best, part], k=k)
        return best

    found = take_turns(run, gpus or [None], turns)
    return merge_neighbours([part for part in found if part is not None], k=k)
