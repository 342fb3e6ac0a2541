"""The backbones, by name.

Every backbone maps pictures (B, 3, H, W) to an activation map (B, C, h, w).
"""

import difflib

from sscd.models.architectures.backbone import Backbone
from sscd.models.architectures.convolutional import (
    CONVNEXTS,
    EFFICIENTNETS,
    RESNETS,
    build_convolutional,
)
from sscd.models.architectures.timm_backbones import PREFIX, build_timm
from sscd.models.architectures.vision_transformer import (
    VISION_TRANSFORMERS,
    build_vision_transformer,
)

BACKBONES = (*RESNETS, *EFFICIENTNETS, *CONVNEXTS, *VISION_TRANSFORMERS)


def check_backbone(name: str) -> None:
    """Check a backbone's name, without importing what would build it.

    Whether timm knows what follows `timm/` is found out when it is built.

    Raises:
        ValueError: There is no such backbone; the message names the nearest.
    """
    if name in BACKBONES or name.removeprefix(PREFIX) not in ("", name):
        return
    near = difflib.get_close_matches(name, BACKBONES, n=3, cutoff=0.5)
    # People forget the underscores and the prefix of Wide ResNets more than anything else.
    near = near or [known for known in BACKBONES if name.lower() in known][:3]
    expected = (
        f"did you mean {' or '.join(near)}?"
        if near
        else "expected a torchvision network such as resnet50, efficientnet_b0, convnext_tiny or "
        "vit_b_16, or timm/NAME"
    )
    raise ValueError(f"backbone got {name!r}; {expected}")


def has_class_token(name: str) -> bool:
    """Whether a backbone may have a class token; timm's are known only once they are built."""
    return name in VISION_TRANSFORMERS or name.startswith(PREFIX)


def has_stages(name: str) -> bool:
    """Whether a backbone can end at an earlier stage."""
    return name in RESNETS


def build_backbone(
    name: str, *, class_token: bool = False, last_stage: int = 4
) -> tuple[Backbone, int]:
    """Build a backbone with random weights, without its pooling and classifier.

    Args:
        name: A torchvision network, or `timm/` and the name of one of timm's.
        class_token: Give a transformer's class token alone, as a map of one cell.
        last_stage: The stage, 1 to 4, whose map is given; other than 4 of ResNets only.

    Returns:
        The network (B, 3, H, W) → (B, C, h, w), and its number of channels C.

    Raises:
        UserError: It is one of timm's, and timm is not installed.
        ValueError: There is no such backbone, or it has no class token or no such stage.
    """
    check_backbone(name)
    if class_token and not has_class_token(name):
        raise ValueError(f"backbone {name} has no class token; take pooling gem or avg")
    if last_stage not in (1, 2, 3, 4):
        raise ValueError(f"last_stage got {last_stage}; expected 1 to 4")
    if last_stage != 4 and not has_stages(name):
        raise ValueError(f"last_stage got {last_stage}, and {name} is no ResNet; expected 4")
    if name.startswith(PREFIX):
        backbone = build_timm(name.removeprefix(PREFIX), class_token=class_token)
    elif name in VISION_TRANSFORMERS:
        backbone = build_vision_transformer(name, class_token=class_token)
    else:
        backbone = build_convolutional(name, last_stage=last_stage)
    return backbone, backbone.channels
