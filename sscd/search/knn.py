"""Exact k-nearest-neighbour search: FAISS where it imports, blocked matrix products elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError

if TYPE_CHECKING:
    import torch

Metric = Literal["inner_product", "l2"]
Device = Literal["auto", "cpu", "cuda"]
Engine = Literal["auto", "faiss", "torch"]
Floats = NDArray[np.floating[Any]]

_QUERY_BLOCK = 1024
_REFERENCE_BLOCK = 32_768


@dataclass(frozen=True)
class Neighbours:
    """The k best references of each of Q queries.

    Attributes:
        scores: (Q, k) float32, falling along a row; for L2 minus the *squared* distance.
        indices: (Q, k) int64, rows of the references.
    """

    scores: NDArray[np.float32]
    indices: NDArray[np.int64]


def nearest(
    queries: Floats,
    references: Floats,
    *,
    k: int,
    metric: Metric = "l2",
    device: Device = "auto",
    engine: Engine = "auto",
) -> Neighbours:
    """Return the k references of highest score for each query, by exhaustive search in float32.

    Args:
        queries: (Q, D).
        references: (R, D), R at least 1.
        k: Neighbours a query; cut to R.
        metric: Inner product, or L2, whose score is minus the squared distance, as track 2 ranks.
        device: "auto" takes a GPU where the engine sees one.
        engine: "auto" takes FAISS where it can be imported, PyTorch elsewhere.

    Raises:
        ValueError: Shapes do not match, k is not positive, or a value is not finite.
        UserError: `device` is "cuda" and the engine sees no GPU.
    """
    query, reference = _checked(queries, "queries"), _checked(references, "references")
    if query.shape[1] != reference.shape[1]:
        raise ValueError(f"got queries {query.shape}, references {reference.shape}; expected one D")
    if k < 1 or len(reference) == 0:
        raise ValueError(f"got k={k} of {len(reference)} references; expected at least 1 of both")
    k = min(k, len(reference))
    if len(query) == 0:
        return Neighbours(np.empty((0, k), np.float32), np.empty((0, k), np.int64))
    if engine == "torch" or (engine == "auto" and not _faiss_imports()):
        return _search_torch(query, reference, k=k, metric=metric, device=device)
    return _search_faiss(query, reference, k=k, metric=metric, device=device)


def _faiss_imports() -> bool:
    try:
        import faiss  # noqa: F401
    except ImportError:
        return False
    return True


def _checked(vectors: Floats, name: str) -> NDArray[np.float32]:
    if vectors.ndim != 2:
        raise ValueError(f"got {name} of shape {vectors.shape}; expected (n, D)")
    result = np.ascontiguousarray(vectors, np.float32)
    for start in range(0, len(result), _REFERENCE_BLOCK):
        finite = np.isfinite(result[start : start + _REFERENCE_BLOCK]).all(axis=1)
        if not finite.all():
            row = start + int(finite.argmin())
            raise ValueError(
                f"got a value that is not finite in row {row} of {name}; expected none"
            )
    return result


def _search_faiss(
    query: NDArray[np.float32],
    reference: NDArray[np.float32],
    *,
    k: int,
    metric: Metric,
    device: Device,
) -> Neighbours:
    import faiss

    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    gpus = faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0
    if device == "cuda" and gpus == 0:
        raise UserError("device cuda: FAISS sees no GPU; use device auto, or engine torch")
    if device != "cpu" and gpus:
        resources = faiss.StandardGpuResources()
        values, indices = faiss.knn_gpu(resources, query, reference, k, metric=kind)
    else:
        values, indices = faiss.knn(query, reference, k, metric=kind)
    return Neighbours(-values if metric == "l2" else values, indices)


def _search_torch(
    query: NDArray[np.float32],
    reference: NDArray[np.float32],
    *,
    k: int,
    metric: Metric,
    device: Device,
) -> Neighbours:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device cuda: PyTorch sees no GPU; use device auto")
    place = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    scores = np.empty((len(query), k), np.float32)
    indices = np.empty((len(query), k), np.int64)
    with torch.inference_mode(), torch.autocast(place, enabled=False), _full_float32():
        everything = torch.from_numpy(np.require(reference, requirements=["W"]))
        for start in range(0, len(query), _QUERY_BLOCK):
            rows = slice(start, start + _QUERY_BLOCK)
            block = torch.from_numpy(np.require(query[rows], requirements=["W"])).to(place)
            best, where = _best_of_block(block, everything, k=k, metric=metric)
            scores[rows], indices[rows] = best.cpu().numpy(), where.cpu().numpy()
    return Neighbours(scores, indices)


def _best_of_block(
    query: "torch.Tensor", references: "torch.Tensor", *, k: int, metric: Metric
) -> "tuple[torch.Tensor, torch.Tensor]":
    import torch

    best = query.new_full((len(query), 0), 0.0)
    where = torch.empty((len(query), 0), dtype=torch.int64, device=query.device)
    for start in range(0, len(references), _REFERENCE_BLOCK):
        reference = references[start : start + _REFERENCE_BLOCK].to(query.device)
        scores = query @ reference.T
        if metric == "l2":
            lengths = query.square().sum(1, keepdim=True) + reference.square().sum(1)
            scores = (2 * scores - lengths).clamp(max=0)
        top, index = scores.topk(min(k, len(reference)), dim=1)
        best, where = torch.cat([best, top], 1), torch.cat([where, index + start], 1)
        best, kept = best.topk(min(k, best.shape[1]), dim=1)
        where = where.gather(1, kept)
    return best, where


@contextmanager
def _full_float32() -> Iterator[None]:
    """Keep TF32 out of the search, whatever training chose; restored afterwards."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
