"""Parameters in groups that share a learning rate and a decay."""

from collections.abc import Iterable
from typing import Any

from torch import nn

from sscd.models.depth import steps_below_head
from sscd.models.descriptor import DescriptorNet
from sscd.models.pooling import learnt_exponents
from sscd.training.optimization.optimizer_config import OptimizerConfig

# The key of a group of parameters that says how deep they lie.
STEPS_BELOW_HEAD = "steps_below_head"
# The key of a group beside the network that says at how many times the full rate it learns.
BESIDE = "rate_beside_network"
# The key of such a group that says whether it decays.
DECAYS = "decays"


def parameter_groups(
    network: nn.Module, config: OptimizerConfig, *, rate: float
) -> list[dict[str, Any]]:
    """The trained parameters, in groups that share a learning rate and a decay.

    Exponents of pooling are not among them (`exponent_groups`).

    Args:
        network: Whose parameters they are; rates by depth need a `DescriptorNet`.
        config: Which parameters are exempt from decay, and how rates fall with depth.
        rate: The full learning rate.

    Returns:
        Groups for an optimiser, those of the head first.
    """
    apart = set(map(id, learnt_exponents(network)))
    if config.layer_decay == 1:
        return _groups((p for p in network.parameters() if id(p) not in apart), config)
    if not isinstance(network, DescriptorNet):
        raise TypeError(f"layer_decay got a {type(network).__name__}; expected a DescriptorNet")
    steps = steps_below_head(network)
    groups: list[dict[str, Any]] = []
    for below in sorted(set(steps.values())):
        named = network.named_parameters()
        alike = [p for name, p in named if steps[name] == below and id(p) not in apart]
        setting = {STEPS_BELOW_HEAD: below, "lr": rate * config.layer_decay**below}
        groups += [group | setting for group in _groups(alike, config) if group["params"]]
    return groups


def exponent_groups(
    network: nn.Module, config: OptimizerConfig, *, rate: float
) -> list[dict[str, Any]]:
    """Exponents of pooling that are learnt, at the full rate, without decay and adaptation.

    Decay would pull them towards 0, and LARS scale their rate by an exponent's size.

    Args:
        network: Whose they are.
        config: Its decay.
        rate: The full learning rate.

    Returns:
        A group; none where the exponent is fixed.
    """
    return beside_groups([], learnt_exponents(network), config, rate=rate)


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


def beside_groups(
    decaying: Iterable[nn.Parameter],
    others: Iterable[nn.Parameter],
    config: OptimizerConfig,
    *,
    rate: float,
    share: float = 1.0,
) -> list[dict[str, Any]]:
    """Groups of what is trained beside the network, whatever its depth.

    Args:
        decaying: Parameters that decay as the configuration says.
        others: Those that neither decay nor are adapted.
        config: Its decay, and which parameters are exempt.
        rate: The full learning rate.
        share: The others learn at so many times that rate.
    """
    found = [
        group | {BESIDE: 1.0, DECAYS: group.get("weight_decay") != 0.0, "lr": rate}
        for group in _groups(decaying, config)
    ]
    exempt = {"weight_decay": 0.0, "adapt": False, BESIDE: share, DECAYS: False, "lr": rate * share}
    found.append({"params": list(others), **exempt})
    return [group for group in found if group["params"]]
