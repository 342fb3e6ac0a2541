"""Optimiser and learning-rate schedule from a configuration."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sscd.training.lars import LARS


@dataclass(frozen=True)
class OptimizerConfig:
    """Optimiser, learning rate and its course.

    Attributes:
        name: `lars` as published, `adamw` for small batches, or `sgd`.
        lr: Learning rate for `reference_batch` pictures a step.
        reference_batch: The rate in force is `lr · pictures / reference_batch`, pictures counted
            over all ranks; null takes `lr` as it is.
        momentum: Of LARS and SGD.
        weight_decay: L2 penalty (decoupled for AdamW).
        exclude_bias_and_norm: Neither decay nor adapt biases and normalisation scales. The
            published recipe does both to all of them.
        warmup_epochs: Epochs of linear warm-up, counted in steps.
        final_share: The cosine falls to this share of the full rate.
    """

    name: Literal["lars", "adamw", "sgd"] = "lars"
    lr: float = 0.3
    reference_batch: int | None = 256
    momentum: float = 0.9
    weight_decay: float = 1e-6
    exclude_bias_and_norm: bool = False
    warmup_epochs: float = 5.0
    final_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum got {self.momentum}; expected 0 to below 1")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay got {self.weight_decay}; expected 0 or more")
        if self.lr <= 0:
            raise ValueError(f"lr got {self.lr}; expected a number above 0")
        if self.reference_batch is not None and self.reference_batch < 1:
            raise ValueError(f"reference_batch got {self.reference_batch}; expected at least 1")
        if self.warmup_epochs < 0:
            raise ValueError(f"warmup_epochs got {self.warmup_epochs}; expected 0 or more")
        if not 0 <= self.final_share <= 1:
            raise ValueError(f"final_share got {self.final_share}; expected 0 to 1")

    def rate(self, pictures: int) -> float:
        """The full learning rate for `pictures` pictures a step over all ranks."""
        return self.lr * pictures / self.reference_batch if self.reference_batch else self.lr


def build_optimizer(network: nn.Module, config: OptimizerConfig, *, pictures: int) -> Optimizer:
    """The configured optimiser over a network's parameters.

    Args:
        network: Whose parameters to train.
        config: Which optimiser, and how.
        pictures: Pictures a step over all ranks, for the scale of the learning rate.
    """
    groups: list[dict[str, Any]] = list(_groups(network.parameters(), config))
    rate = config.rate(pictures)
    match config.name:
        case "lars":
            return LARS(groups, rate, momentum=config.momentum, weight_decay=config.weight_decay)
        case "adamw":
            _drop_adaptation(groups)
            return torch.optim.AdamW(groups, rate, weight_decay=config.weight_decay)
        case "sgd":
            _drop_adaptation(groups)
            return torch.optim.SGD(
                groups, rate, momentum=config.momentum, weight_decay=config.weight_decay
            )


def warmup_cosine(optimizer: Optimizer, *, warmup: int, total: int, final_share: float) -> LambdaLR:
    """Linear warm-up, then a cosine to `final_share` of the rate, step by step.

    Args:
        optimizer: Whose learning rates to move.
        warmup: Steps of linear warm-up; the first step already moves.
        total: Steps of the whole training.
        final_share: What is left of the rate at the end.
    """
    return LambdaLR(optimizer, lambda step: rate_share(step, warmup, total, final_share))


def retune(checkpoint: dict[str, Any], config: OptimizerConfig, *, pictures: int) -> None:
    """Put a configuration's rate, momentum and decay in place of those a checkpoint carries.

    A run that diverged is resumed with a lower rate; the restored state would bring back the old.

    Args:
        checkpoint: A Lightning checkpoint, changed in place.
        config: What shall hold from now on.
        pictures: Pictures a step over all ranks.
    """
    rate = config.rate(pictures)
    for schedule in checkpoint.get("lr_schedulers", []):
        schedule["base_lrs"] = [rate] * len(schedule["base_lrs"])
    for optimizer in checkpoint.get("optimizer_states", []):
        for group in optimizer["param_groups"]:
            group["lr"] *= rate / group["initial_lr"]
            group["initial_lr"] = rate
            if "momentum" in group:
                group["momentum"] = config.momentum
            if group["weight_decay"]:  # the group that is exempt stays so
                group["weight_decay"] = config.weight_decay


def rate_share(step: int, warmup: int, total: int, final_share: float = 0.0) -> float:
    """The share of the full learning rate at a step.

    >>> [rate_share(s, warmup=2, total=6) for s in (0, 1, 2, 4, 6)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    return final_share + (1 - final_share) * 0.5 * (1 + math.cos(math.pi * done))


def _groups(parameters: Iterable[nn.Parameter], config: OptimizerConfig) -> list[dict[str, Any]]:
    trained = [p for p in parameters if p.requires_grad]
    if not config.exclude_bias_and_norm:
        return [{"params": trained}]
    # Biases and normalisation scales are the vectors; kernels and matrices have more dimensions.
    return [
        {"params": [p for p in trained if p.ndim > 1]},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0, "adapt": False},
    ]


def _drop_adaptation(groups: list[dict[str, Any]]) -> None:
    for group in groups:
        group.pop("adapt", None)
