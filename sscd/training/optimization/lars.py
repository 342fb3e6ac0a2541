"""LARS (You, Gitman and Ginsburg 2017), fused over tensors."""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer

from sscd.training.optimization.lars_cpu import Rule, Triple, step_large


class LARS(Optimizer):
    """SGD with momentum whose step is scaled for each tensor by `‖p‖ / ‖g‖`.

    The step of a tensor p with gradient g is
    `v ← momentum·v + ratio·(g + weight_decay·p)`, `p ← p − lr·v`, with
    `ratio = trust·‖p‖ / (‖g‖ + weight_decay·‖p‖ + 1e-8)`, and 1 where either norm is 0, as for a
    scale that starts at zero. On a GPU all tensors go through a handful of multi-tensor calls, and
    nothing is read back from the device; on a CPU large tensors go through `lars_cpu`.

    Args:
        params: Parameters, or groups of them; a group with `adapt=False` keeps the ratio at 1.
        lr: Learning rate.
        momentum: Momentum, from 0 to below 1.
        weight_decay: L2 penalty.
        trust: The trust coefficient, 1e-3 in the published recipe.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        *,
        momentum: float = 0.9,
        weight_decay: float = 1e-6,
        trust: float = 1e-3,
    ) -> None:
        if lr < 0 or weight_decay < 0 or trust <= 0:
            raise ValueError(
                f"lr, weight_decay, trust got {lr}, {weight_decay}, {trust}; "
                "expected lr and weight_decay of 0 or more and trust above 0"
            )
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum got {momentum}; expected 0 to below 1")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust": trust,
            "adapt": True,
        }
        super().__init__(params, defaults)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step; returns what `closure` returns, if one is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                self._step_group(group, parameters)
        return loss

    def _step_group(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        large: list[Triple] = []
        rest: list[tuple[Tensor, Tensor, Tensor]] = []
        for parameter in parameters:
            gradient, velocity = _gradient(parameter), self._velocity(parameter)
            triple = Triple.of(parameter, gradient, velocity) if group["momentum"] else None
            if triple is None:
                rest.append((parameter, gradient, velocity))
            else:
                large.append(triple)

        def step_rest() -> None:
            if rest:
                _step_together(group, *map(list, zip(*rest, strict=True)))

        names = ("lr", "momentum", "weight_decay", "trust", "adapt")
        rule = Rule(**{name: group[name] for name in names})
        step_large(large, rule, meanwhile=step_rest)

    def _velocity(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        velocity: Tensor = state["velocity"]
        return velocity


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise ValueError("a parameter without a gradient takes no step")
    return parameter.grad


def _step_together(
    group: dict[str, Any],
    parameters: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor],
) -> None:
    """Step many tensors by multi-tensor calls, without reading anything from their device."""
    updates = torch._foreach_add(gradients, parameters, alpha=group["weight_decay"])
    if group["adapt"]:
        torch._foreach_mul_(updates, _trust_ratios(parameters, gradients, group))
    torch._foreach_mul_(velocities, group["momentum"])
    torch._foreach_add_(velocities, updates)
    torch._foreach_add_(parameters, velocities, alpha=-group["lr"])


def _trust_ratios(
    parameters: list[Tensor], gradients: list[Tensor], group: dict[str, Any]
) -> list[Tensor]:
    parameter_norms = torch.stack(torch._foreach_norm(parameters))
    gradient_norms = torch.stack(torch._foreach_norm(gradients))
    scale = gradient_norms + group["weight_decay"] * parameter_norms + 1e-8
    ratios = group["trust"] * parameter_norms / scale
    defined = (parameter_norms > 0) & (gradient_norms > 0)
    return list(torch.where(defined, ratios, torch.ones_like(ratios)).unbind())
