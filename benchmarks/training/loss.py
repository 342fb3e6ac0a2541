"""What share of a step the loss takes, gathering included."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from benchmarks.timing import seconds
from benchmarks.training.hardware import synchronize
from sscd.losses.instance import InfoNCE
from sscd.training.steps.objective import compute_objective


@dataclass(frozen=True)
class LossFigure:
    """The loss of one step.

    Attributes:
        rows: Descriptors of the global batch.
        seconds: Forward and backward.
        share: Of a whole step over as many views.
    """

    rows: int
    seconds: float
    share: float


def measure_loss(
    rows: int, *, dims: int, device: torch.device, views_per_s: float, devices: int
) -> LossFigure:
    """Time the loss of `rows` descriptors against one another.

    Args:
        rows: Of all devices.
        dims: Length of a descriptor.
        device: This process's.
        views_per_s: Of the whole step on all devices, from which its time follows.
        devices: How many share the rows.
    """
    own = rows // devices
    torch.manual_seed(0)
    described = functional.normalize(torch.randn(own, dims, device=device), dim=1)
    described.requires_grad_()
    first = 0
    if torch.distributed.is_initialized():
        first = torch.distributed.get_rank() * own // 2
    pictures = (first + torch.arange(own, device=device) // 2)[:, None]

    def step() -> None:
        described.grad = None
        objective = compute_objective(described, pictures, loss=InfoNCE(0.05), entropy_weight=30.0)
        objective.loss.backward()  # type: ignore[no-untyped-call]
        synchronize(device)

    taken = seconds(step)
    whole = rows / views_per_s
    return LossFigure(rows=rows, seconds=taken, share=taken / whole)
