"""The convolutional backbones, by name.

Every backbone maps pictures (B, 3, H, W) to an activation map (B, C, h, w).
"""

from typing import Literal, cast, get_args

from torch import nn

BackboneName = Literal[
    "resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d", "resnext101_32x8d"
]


def build_backbone(name: BackboneName) -> tuple[nn.Module, int]:
    """Build a randomly initialised backbone without its pooling and classifier.

    `zero_init_residual` starts every residual branch at zero: with a strong entropy weight the
    training is unstable without it (SSCD, section 5.1).

    Returns:
        The network (B, 3, H, W) → (B, C, h, w), and its number of channels C.

    Raises:
        ValueError: `name` is not one of `BackboneName`.
    """
    from torchvision import models

    if name not in get_args(BackboneName):
        raise ValueError(
            f"backbone got {name!r}; expected one of {', '.join(get_args(BackboneName))}"
        )
    network = getattr(models, name)(weights=None, zero_init_residual=True)
    channels = cast(int, network.fc.in_features)
    network.avgpool = nn.Identity()
    network.fc = nn.Identity()
    return _ActivationMap(network), channels


class _ActivationMap(nn.Module):
    """A torchvision ResNet up to its last block; the parameter names stay torchvision's."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name, child in network.named_children():
            if not isinstance(child, nn.Identity):
                self.add_module(name, child)

    def forward(self, x):  # type: ignore[no-untyped-def]
        for child in self.children():
            x = child(x)
        return x
