"""What a timm network gives: the order of its axes, and the sizes of pictures that it takes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

# Neither pooling nor classifier, as timm's documentation gives them. A few networks have a head
# that refuses; `forward_features` gives their map then.
_UNPOOLED: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
_WITH_HEAD: dict[str, Any] = {"num_classes": 0}
# What timm's networks raise for a setting or a size that is not theirs.
_REFUSALS = (
    AssertionError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)

CreateModel = Callable[..., Any]


@dataclass(frozen=True)
class FeatureLayout:
    """What a timm network gives.

    Attributes:
        kind: The order of its axes; `tokens` are (B, prefix + h·w, C).
        channels: C.
        size: Side of the pictures that it was made for.
        cell: Sides must be whole numbers of so many pixels; None where only `size` is taken.
        stride: Pixels a side of a token; of `tokens` only.
        prefix: Tokens before those of the patches.
        whole: Whether the network as a whole gives the map, rather than `forward_features`.
    """

    kind: Literal["channels first", "channels last", "tokens"]
    channels: int
    size: int
    cell: int | None = None
    stride: int = 1
    prefix: int = 0
    whole: bool = True

    @property
    def settings(self) -> dict[str, Any]:
        """What the network is built with."""
        return _UNPOOLED if self.whole else _WITH_HEAD


def create(
    create_model: CreateModel, name: str, settings: dict[str, Any], *, pretrained: bool = False
) -> nn.Module:
    """Build a network, for pictures of any size where it has such a setting.

    Args:
        create_model: `timm.create_model`.
        name: timm's own.
        settings: As `FeatureLayout.settings` gives them.
        pretrained: With the weights that timm offers.
    """
    try:
        # Transformers take it, and interpolate their position embeddings in each forward pass.
        return cast(
            nn.Module, create_model(name, pretrained=pretrained, dynamic_img_size=True, **settings)
        )
    except TypeError:
        return cast(nn.Module, create_model(name, pretrained=pretrained, **settings))


def features(network: Any, pictures: Tensor, *, whole: bool) -> Tensor:
    """The features of pictures (B, 3, H, W), in the network's own order of axes.

    Args:
        network: One of timm's.
        pictures: Of a size that it takes.
        whole: As `FeatureLayout.whole` says.
    """
    given: Tensor = network(pictures) if whole else network.forward_features(pictures)
    return given


def probe(create_model: CreateModel, name: str) -> FeatureLayout:
    """Find out what a network gives, without computing it: on torch's `meta` device.

    Raises:
        ValueError: It gives no activation map.
    """
    try:
        return _probe_as(create_model, name, whole=True)
    except _REFUSALS:
        pass
    try:
        return _probe_as(create_model, name, whole=False)
    except _REFUSALS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"backbone timm/{name} gives no activation map: {reason}") from error


def _probe_as(create_model: CreateModel, name: str, *, whole: bool) -> FeatureLayout:
    with torch.random.fork_rng(devices=[]), torch.device("meta"), torch.no_grad():
        network = create(create_model, name, _UNPOOLED if whole else _WITH_HEAD).eval()
        size = int(getattr(network, "pretrained_cfg", {}).get("input_size", (3, 224))[-1])
        given = features(network, torch.zeros(1, 3, size, size), whole=whole)
        if not isinstance(given, Tensor):
            raise ValueError(f"its features are a {type(given).__name__}")
        layout = replace(_layout(network, given, size), whole=whole)
        return replace(layout, cell=_cell(network, layout))


def _layout(network: nn.Module, given: Tensor, size: int) -> FeatureLayout:
    if given.ndim == 4:
        last = getattr(network, "output_fmt", "NCHW") == "NHWC"
        kind: Literal["channels first", "channels last"] = (
            "channels last" if last else "channels first"
        )
        return FeatureLayout(kind, given.shape[-1 if last else 1], size)
    if given.ndim != 3:
        raise ValueError(f"its features have shape {tuple(given.shape)}")
    prefix = int(getattr(network, "num_prefix_tokens", 0))
    if prefix == 0 and getattr(network, "cls_token", None) is not None:
        prefix = 1  # older transformers do not count it
    side = math.isqrt(max(0, given.shape[1] - prefix))
    if side < 2 or side * side != given.shape[1] - prefix:
        raise ValueError(f"its {given.shape[1]} tokens are no square map")
    return FeatureLayout("tokens", given.shape[2], size, stride=size // side, prefix=prefix)


def _cell(network: nn.Module, layout: FeatureLayout) -> int | None:
    """The least number of pixels that sides may be any multiple of; None where there is none."""
    tokens = layout.kind == "tokens"
    for cell in (layout.stride,) if tokens else (1, 2, 4, 8, 16, 32):
        # An even and an odd number of cells more than the network was made for.
        height, width = layout.size + 2 * cell, layout.size + cell
        try:
            given = features(network, torch.zeros(1, 3, height, width), whole=layout.whole)
        except _REFUSALS:
            continue
        if not tokens or given.shape[1] == layout.prefix + height * width // cell**2:
            return cell
    return None
