"""The configured rate, momentum and decay in a training that is resumed."""

from typing import Any

from sscd.errors import UserError
from sscd.training.optimization.groups import BESIDE, DECAYS, STEPS_BELOW_HEAD
from sscd.training.optimization.optimizer_config import OptimizerConfig


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
        groups = [group for group in optimizer["param_groups"] if BESIDE not in group]
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
            rates.append(_set_rate(group, rate, config))
            # Kernels come before what is exempt, which stays so; their decay may have been 0.
            if not exempts or group["weight_decay"] or depths[place] in depths[place + 1 :]:
                group["weight_decay"] = config.weight_decay
        for group in optimizer["param_groups"]:
            if BESIDE in group:
                rates.append(_set_rate(group, config.rate(pictures) * group[BESIDE], config))
                group["weight_decay"] = config.weight_decay if group[DECAYS] else 0.0
    for schedule in checkpoint.get("lr_schedulers", []) if rates else []:
        schedule["base_lrs"] = rates


def _set_rate(group: dict[str, Any], rate: float, config: OptimizerConfig) -> float:
    """Let a group go on at this full rate, which is returned."""
    group["lr"] *= rate / group["initial_lr"]
    group["initial_lr"] = rate
    if "momentum" in group:
        group["momentum"] = config.momentum
    return rate
