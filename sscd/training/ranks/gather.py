"""Rows of all ranks, with gradients, and sums over them.

DDP averages gradients over ranks. With `L_r` the loss of rank r's anchors, the gradients of
`mean_r L_r` come out right when every descriptor receives `Σ_r ∂L_r/∂z`: the backward pass of the
gather sums over ranks and keeps each rank's own rows.
"""

from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd.function import once_differentiable


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
        gathered = rows.new_empty((world_size() * len(rows), *rows.shape[1:]))
        distributed.all_gather_into_tensor(gathered, rows.contiguous())
        return gathered

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        own = gradient.new_empty((ctx.count, *gradient.shape[1:]))
        # Each rank needs the sum of its own rows only, a W-th of what an all-reduce brings.
        distributed.reduce_scatter_tensor(own, gradient.contiguous())
        return own


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


def sum_over_ranks(values: Tensor) -> Tensor:
    """The sum of a small tensor over ranks, without gradient and without waiting for it."""
    total = values.detach().clone()
    if world_size() > 1:
        distributed.all_reduce(total)
    return total
