"""Exact k-nearest-neighbour search: one interface, and engines that can be exchanged."""

import numpy as np

from sscd.search.engines.streams import read_ahead, require_one_width
from sscd.search.neighbours import Neighbours, merge_neighbours
from sscd.search.options import Device, Engine, Metric
from sscd.vectors import Vectors

__all__ = ["Device", "Engine", "Metric", "Neighbours", "merge_neighbours", "nearest"]


def nearest(
    queries: Vectors,
    references: Vectors,
    *,
    k: int,
    metric: Metric = "l2",
    device: Device = "auto",
    engine: Engine = "auto",
) -> Neighbours:
    """Return the k references of highest score for each query, by exhaustive search in float32.

    Both sides are read in blocks of 65,536 rows, so that neither need fit in memory; the result
    must. The references are read once for each block of queries.

    Args:
        queries: (Q, D), an array or rows on disk.
        references: (R, D), R at least 1.
        k: Neighbours a query; cut to R.
        metric: Inner product, or L2, whose score is minus the squared distance, as track 2 ranks.
        device: "auto" takes all GPUs that the engine sees, or the CPU.
        engine: "auto" takes FAISS on GPUs where it sees any and k is at most 2048, which is as far
            as it goes there, and PyTorch elsewhere. FAISS on a CPU must be asked for. PyTorch
            settles ties by the lower reference, FAISS in no order.

    Raises:
        ValueError: Shapes do not match, k is not positive, or a value is not finite.
        UserError: `device` is "cuda" and the engine sees no GPU.
        ImportError: `engine` is "faiss" and FAISS is missing.
    """
    require_one_width(queries, references)
    if k < 1 or len(references) == 0:
        raise ValueError(f"got k={k} of {len(references)} references; expected at least 1 of both")
    k = min(k, len(references))
    by_faiss = _takes_faiss(engine, k, device)
    parts = [Neighbours(np.empty((0, k), np.float32), np.empty((0, k), np.int64))]
    for block in read_ahead(queries, name="queries"):
        if by_faiss:
            from sscd.search.engines.faiss_knn import nearest_faiss

            part = nearest_faiss(block, references, k=k, metric=metric, device=device)
        else:
            from sscd.search.engines.devices import devices_of
            from sscd.search.engines.torch_knn import nearest_torch

            part = nearest_torch(block, references, k=k, metric=metric, devices=devices_of(device))
        parts.append(part)
    return Neighbours(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.indices for part in parts]),
    )


def _takes_faiss(engine: Engine, k: int, device: Device) -> bool:
    if engine == "torch" or (engine == "auto" and device == "cpu"):
        return False
    from sscd.search.engines.faiss_knn import MOST_ON_GPU, faiss_gpus

    gpus = faiss_gpus() if device != "cpu" else 0
    return (engine == "faiss" or gpus > 0) and (k <= MOST_ON_GPU or gpus == 0)
