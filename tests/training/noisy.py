"""Networks whose passes differ unless random state and running statistics are seen to."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import StochasticDepth

from sscd.models.descriptor import DescriptorNet, NetworkConfig


class Noisy(nn.Module):
    """Batch norm, dropout and stochastic depth.

    One parameter is frozen, one never used, and two have the same tensor as their gradient.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3 * 8 * 8, 24)
        self.norm = nn.BatchNorm1d(24)
        self.drop = nn.Dropout(0.4)
        self.branch = nn.Linear(24, 24)
        self.depth = StochasticDepth(0.5, "row")
        self.head = nn.Linear(24, 6)
        self.head.bias.requires_grad_(False)
        self.unused = nn.Parameter(torch.ones(3))
        self.one, self.other = (nn.Parameter(torch.zeros(6)) for _ in range(2))

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.drop(self.norm(self.first(pictures.float().flatten(1) / 255)).relu())
        x = self.head(x + self.depth(self.branch(x))) + (self.one + self.other)
        return functional.normalize(x.float(), dim=1)


def noisy_network() -> nn.Module:
    torch.manual_seed(1)
    return Noisy()


def real_network() -> DescriptorNet:
    torch.manual_seed(1)
    network = DescriptorNet(NetworkConfig(backbone="resnet18", dims=6))
    for name, parameter in network.named_parameters():
        if name.endswith("bn2.weight"):  # 0 at first, so that nothing of the branch is learnt
            parameter.data.fill_(0.5)
    return network
