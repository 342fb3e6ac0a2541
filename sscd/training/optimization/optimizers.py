"""Optimiser and learning-rate schedule from a configuration."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sscd.training.optimization.groups import exponent_groups, parameter_groups
from sscd.training.optimization.lars import LARS
from sscd.training.optimization.optimizer_config import OptimizerConfig


def build_optimizer(
    network: nn.Module,
    config: OptimizerConfig,
    *,
    pictures: int,
    beside: Sequence[dict[str, Any]] = (),
) -> Optimizer:
    """The configured optimiser over a network's parameters.

    Args:
        network: Whose parameters to train.
        config: Which optimiser, and how.
        pictures: Pictures a step over all ranks, for the scale of the learning rate.
        beside: More groups, of what is trained beside the network (`groups.beside_groups`).
    """
    rate = config.rate(pictures)
    exponents = exponent_groups(network, config, rate=rate)
    groups = [*parameter_groups(network, config, rate=rate), *exponents, *beside]
    match config.name:
        case "lars":
            return LARS(groups, rate, momentum=config.momentum, weight_decay=config.weight_decay)
        case "adamw":
            _drop_adaptation(groups)
            return torch.optim.AdamW(groups, rate, weight_decay=config.weight_decay)
        case "adam":
            _drop_adaptation(groups)
            return torch.optim.Adam(groups, rate, weight_decay=config.weight_decay)
        case "sgd":
            _drop_adaptation(groups)
            return torch.optim.SGD(
                groups, rate, momentum=config.momentum, weight_decay=config.weight_decay
            )


def warmup_cosine(
    optimizer: Optimizer,
    *,
    warmup: int,
    total: int,
    final_share: float,
    drops: Sequence[float] = (),
) -> LambdaLR:
    """Linear warm-up, then a cosine to `final_share` of the rate or drops, step by step.

    Args:
        optimizer: Whose learning rates to move.
        warmup: Steps of linear warm-up; the first step already moves.
        total: Steps of the whole training.
        final_share: What is left of the rate at the end.
        drops: Shares of the training at which the rate falls to a tenth, in place of the cosine.
    """
    return LambdaLR(optimizer, lambda step: rate_share(step, warmup, total, final_share, drops))


def rate_share(
    step: int, warmup: int, total: int, final_share: float = 0.0, drops: Sequence[float] = ()
) -> float:
    """The share of the full learning rate at a step.

    >>> [rate_share(s, warmup=2, total=6) for s in (0, 1, 2, 4, 6)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    >>> [round(rate_share(s, warmup=1, total=8, drops=(0.5, 0.75)), 3) for s in (0, 3, 4, 6)]
    [1.0, 1.0, 0.1, 0.01]
    """
    if step < warmup:
        return (step + 1) / warmup
    if drops:
        return 0.1 ** sum(step >= share * total for share in drops)
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    return final_share + (1 - final_share) * 0.5 * (1 + math.cos(math.pi * done))


def _drop_adaptation(groups: list[dict[str, Any]]) -> None:
    for group in groups:
        group.pop("adapt", None)
