"""Gradient caching: the contrastive gradient of a whole batch in the memory of a part of it.

Gao, Zhang, Han and Callan, "Scaling Deep Contrastive Learning Batch Size under Memory Limited
Setup" (RepL4NLP 2021, arXiv 2101.06983), section 3.2: all micro-batches are described without a
graph; the loss over all of them gives the gradient of each descriptor, which is cached; then each
micro-batch is described again, with a graph, and its part of that gradient goes through it. The
price is one more forward pass.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import get_device_states, set_device_states


def describe_in_micro_batches(
    network: nn.Module, views: Tensor, *, micro_batch: int | None, **settings: Any
) -> Tensor:
    """Describe views, a few pictures at a time, as one differentiable operation.

    To autograd the micro-batches are a single function of the parameters, so that accumulation,
    gradient scaling and data-parallel hooks see one backward pass. Batch norm takes its statistics
    from each micro-batch, and its running ones are updated by the first pass alone.

    Args:
        network: (N, 3, S, S) → (N, D). It must be the same, parameters and training mode included,
            when the gradient is asked for.
        views: (B, V, 3, S, S); V views of B pictures, which stay together.
        micro_batch: Pictures described at once; all of them if None.
        settings: What the network is called with besides.

    Returns:
        (B·V, D) descriptors. Its gradient reaches the parameters, not the views.

    Raises:
        ValueError: `micro_batch` is below 1, or the views ask for a gradient.
    """
    if micro_batch is None or micro_batch >= len(views):
        whole: Tensor = network(views.flatten(0, 1), **settings)
        return whole
    if micro_batch < 1:
        raise ValueError(f"micro_batch got {micro_batch}; expected at least 1 picture")
    if views.requires_grad:
        raise ValueError("views got requires_grad=True; expected none with micro_batch")
    parameters = [p for p in network.parameters() if p.requires_grad]
    described: Tensor = _MicroBatches.apply(network, views, micro_batch, settings, *parameters)
    return described


class _MicroBatches(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        network: nn.Module,
        views: Tensor,
        micro_batch: int,
        settings: dict[str, Any],
        *parameters: Tensor,
    ) -> Tensor:
        ctx.network, ctx.micro_batch, ctx.settings = network, micro_batch, settings
        ctx.autocast = _Autocast.current(views.device.type)
        ctx.random = []
        described = []
        for part in torch.split(views, micro_batch):
            ctx.random.append(_RandomState.current(views))
            with ctx.autocast.again():
                described.append(network(part.flatten(0, 1), **settings))
        # The parameters, too: autograd then refuses a backward pass after they have changed.
        ctx.save_for_backward(views, *parameters)
        return torch.cat(described)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        views, *parameters = ctx.saved_tensors
        rows = ctx.micro_batch * views.shape[1]
        sums: list[Tensor | None] = [None] * len(parameters)
        parts = zip(
            torch.split(views, ctx.micro_batch),
            torch.split(gradient, rows),
            ctx.random,
            strict=True,
        )
        with _random_state_kept(views), _buffers_kept(ctx.network):
            for part, of_part, random in parts:
                random.restore()
                with torch.enable_grad(), ctx.autocast.again():
                    described = ctx.network(part.flatten(0, 1), **ctx.settings)
                _add(
                    sums,
                    torch.autograd.grad(described, parameters, of_part, allow_unused=True),
                )
        return (None, None, None, None, *sums)


def _add(sums: list[Tensor | None], gradients: tuple[Tensor | None, ...]) -> None:
    """Add gradients in place; None stays where a parameter was never used."""
    known, added = [], []
    for index, gradient in enumerate(gradients):
        total = sums[index]
        if gradient is None:
            continue
        if total is None:
            sums[index] = gradient.clone()  # autograd may return one tensor twice
        else:
            known.append(total)
            added.append(gradient)
    if known:
        torch._foreach_add_(known, added)


@dataclass(frozen=True)
class _Autocast:
    """The autocast in force in a forward pass; the backward pass runs outside of it."""

    device_type: str
    dtype: torch.dtype
    enabled: bool

    @classmethod
    def current(cls, device_type: str) -> "_Autocast":
        enabled = torch.is_autocast_enabled(device_type)
        return cls(device_type, torch.get_autocast_dtype(device_type), enabled)

    def again(self) -> torch.autocast:
        # Without its cache: older versions of torch take a weight's cast from the pass without a
        # graph where one is wanted.
        return torch.autocast(
            self.device_type, dtype=self.dtype, enabled=self.enabled, cache_enabled=False
        )


@dataclass(frozen=True)
class _RandomState:
    """The generators of the CPU and of the views' device."""

    cpu: Tensor
    device_type: str
    devices: list[int]
    states: list[Tensor]

    @classmethod
    def current(cls, views: Tensor) -> "_RandomState":
        devices, states = get_device_states(views)
        return cls(torch.get_rng_state(), views.device.type, devices, states)

    def restore(self) -> None:
        torch.set_rng_state(self.cpu)
        if self.devices:
            set_device_states(self.devices, self.states, device_type=self.device_type)


@contextlib.contextmanager
def _random_state_kept(views: Tensor) -> Iterator[None]:
    outer = _RandomState.current(views)
    try:
        yield
    finally:
        outer.restore()


@contextlib.contextmanager
def _buffers_kept(network: nn.Module) -> Iterator[None]:
    """Undo what the replay does to running statistics: the first pass has updated them."""
    before = [(buffer, buffer.detach().clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            # By `.data`, for a graph that keeps the buffer need not know: its value is the same.
            buffer.data.copy_(value)
