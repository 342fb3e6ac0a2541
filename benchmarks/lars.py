"""The LARS step against the usual loop over parameters, on a ResNet50's parameters.

The loop is written as public implementations of You, Gitman and Ginsburg (2017) write it: two
norms, and then one operation on a whole tensor after another. Both have the parameters as the
training has them, `channels_last`.
"""

import torch
from torch import Tensor

from benchmarks.timing import by_turns
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.optimization.lars import LARS

LR, MOMENTUM, DECAY, TRUST = 0.1, 0.9, 1e-6, 1e-3
ROUNDS = 15


class LoopLARS:
    """The same step, one parameter at a time."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self.velocity = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        for p, velocity in zip(self.parameters, self.velocity, strict=True):
            if p.grad is None:
                continue
            p_norm, g_norm = torch.norm(p), torch.norm(p.grad)
            update = p.grad.add(p, alpha=DECAY)
            if p_norm != 0 and g_norm != 0:
                update.mul_(TRUST * p_norm / (g_norm + DECAY * p_norm + 1e-8))
            velocity.mul_(MOMENTUM).add_(update)
            p.add_(velocity, alpha=-LR)


def run() -> str:
    """One line with both times and their ratio."""
    fused = LARS(_parameters(), LR, momentum=MOMENTUM, weight_decay=DECAY, trust=TRUST)
    own, loop = by_turns([fused.step, LoopLARS(_parameters()).step], rounds=ROUNDS)
    return (
        f"LARS step, ResNet50, {torch.get_num_threads()} threads: {own * 1e3:.1f} ms, "
        f"loop over parameters {loop * 1e3:.1f} ms, {loop / own:.1f}x "
        f"(medians of {ROUNDS} steps by turns)"
    )


def _parameters() -> list[Tensor]:
    torch.manual_seed(0)
    network = DescriptorNet(NetworkConfig(backbone="resnet50"))
    parameters = list(network.to(memory_format=torch.channels_last).parameters())
    for p in parameters:
        p.grad = torch.randn_like(p) * 1e-3
    return list(parameters)


if __name__ == "__main__":
    print(run())  # noqa: T201
