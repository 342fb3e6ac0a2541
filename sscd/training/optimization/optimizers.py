"""Optimiser and learning-rate schedule from a configuration."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sscd.errors import UserError
from sscd.models.depth import steps_below_head
from sscd.models.descriptor import DescriptorNet
from sscd.training.optimization.lars import LARS

# The key of a group of parameters that says how deep they lie.
STEPS_BELOW_HEAD = "steps_below_head"


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
        layer_decay: Each stage, or block of a transformer, learns at this share of the rate of the
            one after it, down to the stem; the head learns at the full rate. 1 is off.
        warmup_epochs: Epochs of linear warm-up, counted in steps.
        final_share: The cosine falls to this share of the full rate.
    """

    name: Literal["lars", "adamw", "sgd"] = "lars"
    lr: float = 0.3
    reference_batch: int | None = 256
    momentum: float = 0.9
    weight_decay: float = 1e-6
    exclude_bias_and_norm: bool = False
    layer_decay: float = 1.0
    warmup_epochs: float = 5.0
    final_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum got {self.momentum}; expected 0 to below 1")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay got {self.weight_decay}; expected 0 or more")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay got {self.layer_decay}; expected above 0, and at most 1")
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
    rate = config.rate(pictures)
    groups = parameter_groups(network, config, rate=rate)
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
    Where rates fall with depth, each group keeps its depth and takes the configured share.

    Args:
        checkpoint: A Lightning checkpoint, changed in place.
        config: What shall hold from now on.
        pictures: Pictures a step over all ranks.

    Raises:
        UserError: Rates fell with depth then and shall not now, or biases and scales were exempt,
            or the other way round: the parameters are grouped otherwise.
    """
    rates: list[float] = []
    for optimizer in checkpoint.get("optimizer_states", []):
        by_depth = any(STEPS_BELOW_HEAD in group for group in optimizer["param_groups"])
        if by_depth != (config.layer_decay < 1):
            raise UserError(
                f"the checkpoint was trained with{'' if by_depth else 'out'} layer_decay, and "
                f"model.optimizer.layer_decay is {config.layer_decay}; resume with "
                f"{'one below 1' if by_depth else '1'}, or start anew with model.weights"
            )
        groups = optimizer["param_groups"]
        depths = [group.get(STEPS_BELOW_HEAD, 0) for group in groups]
        exempts = len(depths) > len(set(depths))
        if exempts != config.exclude_bias_and_norm:
            raise UserError(
                f"the checkpoint was trained with{'' if exempts else 'out'} exclude_bias_and_norm; "
                f"resume with model.optimizer.exclude_bias_and_norm {str(exempts).lower()}, or "
                "start anew with model.weights"
            )
        for place, group in enumerate(groups):
            rate = config.rate(pictures) * config.layer_decay ** depths[place]
            rates.append(rate)
            group["lr"] *= rate / group["initial_lr"]
            group["initial_lr"] = rate
            if "momentum" in group:
                group["momentum"] = config.momentum
            # Kernels come before what is exempt, which stays so; their decay may have been 0.
            if not exempts or group["weight_decay"] or depths[place] in depths[place + 1 :]:
                group["weight_decay"] = config.weight_decay
    for schedule in checkpoint.get("lr_schedulers", []) if rates else []:
        schedule["base_lrs"] = rates


def rate_share(step: int, warmup: int, total: int, final_share: float = 0.0) -> float:
    """The share of the full learning rate at a step.

    >>> [rate_share(s, warmup=2, total=6) for s in (0, 1, 2, 4, 6)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    return final_share + (1 - final_share) * 0.5 * (1 + math.cos(math.pi * done))


def parameter_groups(
    network: nn.Module, config: OptimizerConfig, *, rate: float
) -> list[dict[str, Any]]:
    """The trained parameters, in groups that share a learning rate and a decay.

    Args:
        network: Whose parameters they are; rates by depth need a `DescriptorNet`.
        config: Which parameters are exempt from decay, and how rates fall with depth.
        rate: The full learning rate.

    Returns:
        Groups for an optimiser, those of the head first.
    """
    if config.layer_decay == 1:
        return _groups(network.parameters(), config)
    if not isinstance(network, DescriptorNet):
        raise TypeError(f"layer_decay got a {type(network).__name__}; expected a DescriptorNet")
    steps = steps_below_head(network)
    groups: list[dict[str, Any]] = []
    for below in sorted(set(steps.values())):
        alike = [p for name, p in network.named_parameters() if steps[name] == below]
        setting = {STEPS_BELOW_HEAD: below, "lr": rate * config.layer_decay**below}
        groups += [group | setting for group in _groups(alike, config) if group["params"]]
    return groups


def _groups(parameters: Iterable[nn.Parameter], config: OptimizerConfig) -> list[dict[str, Any]]:
    trained = [p for p in parameters if p.requires_grad]
    if not config.exclude_bias_and_norm:
        return [{"params": trained}]
    return [
        {"params": [p for p in trained if not _is_vector(p)]},
        {"params": [p for p in trained if _is_vector(p)], "weight_decay": 0.0, "adapt": False},
    ]


def _is_vector(parameter: nn.Parameter) -> bool:
    """Whether it is a bias, a scale or a token rather than a kernel or a matrix.

    ConvNeXt's scales have the shape (C, 1, 1), a transformer's class token (1, 1, C).
    """
    return parameter.numel() == max(parameter.shape, default=1)


def _drop_adaptation(groups: list[dict[str, Any]]) -> None:
    for group in groups:
        group.pop("adapt", None)
