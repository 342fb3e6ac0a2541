"""The fused LARS step against a loop over parameters, on a ResNet50's parameters."""

import torch
from torch import Tensor

from benchmarks.timing import seconds
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.lars import LARS


class LoopLARS:
    """The same step, one parameter at a time."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self.velocity = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Take one step at lr 0.1, momentum 0.9 and weight decay 1e-6."""
        for p, v in zip(self.parameters, self.velocity, strict=True):
            gradient = p.grad if p.grad is not None else torch.zeros_like(p)
            update = gradient + 1e-6 * p
            p_norm, g_norm = torch.norm(p), torch.norm(gradient)
            if p_norm != 0 and g_norm != 0:
                update = update * (1e-3 * p_norm / (g_norm + 1e-6 * p_norm + 1e-8))
            v.mul_(0.9).add_(update)
            p.sub_(0.1 * v)


def run() -> str:
    """One line with both times and their ratio."""
    parameters = list(DescriptorNet(NetworkConfig(backbone="resnet50")).parameters())
    for p in parameters:
        p.grad = torch.randn_like(p) * 1e-3
    fused = seconds(LARS(parameters, 0.1).step)
    loop = seconds(LoopLARS(list(parameters)).step)
    return (
        f"LARS step, ResNet50, {torch.get_num_threads()} threads: fused {fused * 1e3:.1f} ms, "
        f"loop {loop * 1e3:.1f} ms, {loop / fused:.1f}x"
    )
