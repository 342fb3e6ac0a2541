"""Rows of all ranks, with gradients, and means over them.

DDP averages gradients over ranks. With `L_r` the loss of rank r's anchors, the gradients of
`mean_r L_r` come out right when every descriptor receives `Σ_r ∂L_r/∂z`: the backward pass of the
gather sums over ranks and keeps each rank's own rows.
"""

from typing import Any

import torch
from torch import Tensor, distributed


def world_size() -> int:
    """Number of ranks; 1 without a process group."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """This process's rank; 0 without a process group."""
    return distributed.get_rank() if distributed.is_initialized() else 0


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.count = len(rows)
        gathered = [torch.empty_like(rows) for _ in range(world_size())]
        distributed.all_gather(gathered, rows.contiguous())
        return torch.cat(gathered)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        summed = gradient.contiguous().clone()  # autograd keeps the incoming one
        distributed.all_reduce(summed)
        start = rank() * ctx.count
        return summed[start : start + ctx.count]


def gather_rows(rows: Tensor) -> Tensor:
    """Concatenate the rows of all ranks, in rank order, differentiably.

    Args:
        rows: (N, …), the same shape on every rank.

    Returns:
        (W·N, …); `rows` itself with one rank.
    """
    if world_size() == 1:
        return rows
    gathered: Tensor = _GatherRows.apply(rows)
    return gathered


def global_mean(losses: Tensor, valid: Tensor) -> Tensor:
    """The mean of valid rows over all ranks, scaled so that DDP's average of it is exact.

    Args:
        losses: (N,) one value a row, 0 where invalid.
        valid: (N,) bool, the rows that count.

    Returns:
        A scalar whose average over ranks is `Σ losses / Σ valid` over all rows of all ranks; 0
        where no row is valid.
    """
    count = valid.sum().to(losses.dtype)
    if world_size() > 1:
        distributed.all_reduce(count)
    return losses.sum() * world_size() / count.clamp(min=1)


def mean_over_ranks(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean of each scalar over ranks, in one small collective and without waiting for it."""
    if world_size() == 1:
        return values
    stacked = torch.stack([value.float() for value in values.values()])
    distributed.all_reduce(stacked)
    return dict(zip(values, (stacked / world_size()).unbind(), strict=True))


def gather_varying(rows: Tensor) -> Tensor:
    """Concatenate rows whose number differs from rank to rank, without gradients.

    Args:
        rows: (N_r, …) on rank r.

    Returns:
        (Σ N_r, …) on every rank, in rank order.
    """
    if world_size() == 1:
        return rows
    count = torch.tensor([len(rows)], device=rows.device)
    counts = [torch.zeros_like(count) for _ in range(world_size())]
    distributed.all_gather(counts, count)
    sizes = [int(c) for c in counts]
    padded = rows.new_zeros((max(sizes), *rows.shape[1:]))
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in sizes]
    distributed.all_gather(parts, padded)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])
