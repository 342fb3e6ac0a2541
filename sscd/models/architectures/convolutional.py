"""torchvision's convolutional networks: ResNet, ResNeXt, Wide ResNet, EfficientNet, ConvNeXt."""

from typing import Any, cast

from torch import Tensor, nn

from sscd.models.architectures.backbone import Backbone

RESNETS = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("resnext50_32x4d", "resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *("wide_resnet50_2", "wide_resnet101_2"),
)
EFFICIENTNETS = (
    *(f"efficientnet_b{size}" for size in range(8)),
    *("efficientnet_v2_s", "efficientnet_v2_m", "efficientnet_v2_l"),
)
CONVNEXTS = ("convnext_tiny", "convnext_small", "convnext_base", "convnext_large")


def build_convolutional(name: str, *, last_stage: int = 4) -> Backbone:
    """Build one of torchvision's convolutional networks with random weights.

    Args:
        name: One of `RESNETS`, `EFFICIENTNETS` and `CONVNEXTS`.
        last_stage: Of a ResNet, the stage whose map it gives.
    """
    from torchvision import models

    if name in RESNETS:
        return _build_resnet(name, last_stage)
    network = getattr(models, name)(weights=None)
    if name in CONVNEXTS:
        return _ConvNeXt(network)
    return _EfficientNet(network)


class _ActivationMap(Backbone):
    """A torchvision network up to its last map; the parameter names stay torchvision's."""

    def __init__(self, children: dict[str, nn.Module], channels: int) -> None:
        super().__init__()
        self.channels = channels
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Tensor:
        for child in self.children():
            x = child(x)
        return x


class _ResNet(_ActivationMap):
    """Depths: stem 0, `layer1` to `layer4` 1 to 4, or to the last stage that is kept."""

    def depth_of(self, parameter: str) -> int:
        top = parameter.partition(".")[0]
        return int(top.removeprefix("layer")) if top.startswith("layer") else 0


class _EfficientNet(_ActivationMap):
    """Depths: the places in `features`, from the stem 0 to the last convolution."""

    def __init__(self, network: nn.Module) -> None:
        children = dict(network.named_children())
        classifier = cast(nn.Sequential, children["classifier"])
        super().__init__({"features": children["features"]}, cast(Any, classifier[-1]).in_features)

    def depth_of(self, parameter: str) -> int:
        return int(parameter.split(".")[1])


class _ConvNeXt(_ActivationMap):
    """Depths: stem 0, stages 1 to 4, each with the convolution that halves the map before it.

    The classifier's layer norm is kept, and comes before the pooling (as with timm's
    `head_norm_first`): unnormalised ConvNeXt maps have a few channels that outweigh all others.
    """

    def __init__(self, network: nn.Module) -> None:
        children = dict(network.named_children())
        norm, _, linear = cast(nn.Sequential, children["classifier"])
        # The norm stays at `classifier.0`, so that torchvision's weights fit.
        parts = {"features": children["features"], "classifier": nn.Sequential(norm)}
        super().__init__(parts, cast(Any, linear).in_features)

    def depth_of(self, parameter: str) -> int:
        part, place = parameter.split(".")[:2]
        if part == "classifier":
            return 4
        return int(place) // 2 + 1 if place != "0" else 0


def _build_resnet(name: str, last_stage: int) -> Backbone:
    from torchvision.models import resnet

    # A residual branch that starts at zero: with a strong entropy weight the training is unstable
    # without it (SSCD, section 5.1).
    if name == "resnext101_32x4d":  # published by SSCD, and not among torchvision's names
        network = resnet.ResNet(
            resnet.Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=4, zero_init_residual=True
        )
    else:
        network = getattr(resnet, name)(weights=None, zero_init_residual=True)
    left_out = {"avgpool", "fc", *(f"layer{stage}" for stage in range(last_stage + 1, 5))}
    children = {key: child for key, child in network.named_children() if key not in left_out}
    # Each stage has twice the channels of the one before.
    return _ResNet(children, cast(int, network.fc.in_features) >> (4 - last_stage))
