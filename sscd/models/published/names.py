"""Names of parameters in published files, for each parameter of our own network.

Both formats hold the same ResNe(X)t: `*.torchvision.pt` under torchvision's names, with the head in
the place of the classifier; `*.classy.pt` under the names of Classy Vision, whose blocks keep a
convolution's batch norm beside it, and the last one of each block outside.
"""

from collections.abc import Callable
from typing import Literal

PublishedFormat = Literal["classy", "torchvision"]

# Places in the Sequential conv, norm, ReLU, conv, norm, ReLU, conv of a Classy Vision block.
_PLACES = {"conv1": "0", "bn1": "1", "conv2": "3", "bn2": "4", "conv3": "6"}


def namer(format_: PublishedFormat, *, basic: bool) -> Callable[[str], str]:
    """The function from our name of a parameter to that of a published file.

    Args:
        format_: Which of the formats.
        basic: Whether the network is made of basic blocks of two convolutions, as ResNet18 is.
    """
    if format_ == "torchvision":
        return _torchvision_name
    return lambda name: _classy_name(name, last_norm="bn2" if basic else "bn3")


def format_of(names: set[str]) -> PublishedFormat | None:
    """The format of a file with such names; None where it is neither."""
    if any(name.startswith(("backbone.initial_block.", "backbone.blocks.")) for name in names):
        return "classy"
    if any(name.startswith(("backbone.conv1.", "backbone.layer")) for name in names):
        return "torchvision"
    return None


def _torchvision_name(name: str) -> str:
    part, _, rest = name.partition(".")
    return f"backbone.fc.{rest}" if part == "head" else name


def _classy_name(name: str, *, last_norm: str) -> str:
    part, top, *rest = name.split(".")
    if part == "head":
        return f"embeddings.1.{top}"
    if top in ("conv1", "bn1"):
        return ".".join(["backbone.initial_block._module", _PLACES[top], *rest])
    stage = int(top.removeprefix("layer")) - 1
    block, layer, *rest = rest
    if layer == last_norm:
        inner = ["bn"]
    elif layer == "downsample":
        inner = ["downsample"]
    else:
        inner = ["convolutional_block", _PLACES[layer]]
    return ".".join([f"backbone.blocks.{stage}.block{stage}-{block}", *inner, *rest])
