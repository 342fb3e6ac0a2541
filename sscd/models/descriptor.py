"""The descriptor network: backbone → pooling → linear → L2."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.models.backbones import build_backbone, check_backbone, has_class_token, has_stages
from sscd.models.pooling import AttentionPool, AveragePool, GeM, attention_of, smoothed

# The mean and deviation of ImageNet, in RGB, which every published copy-detection network expects.
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)

PoolingName = Literal["gem", "avg", "cls", "attention"]
HeadName = Literal["linear", "none"]


@dataclass(frozen=True)
class NetworkConfig:
    """What a descriptor network is made of.

    Attributes:
        backbone: A ResNet, ResNeXt, Wide ResNet, EfficientNet, ConvNeXt or ViT by torchvision's
            name, or `timm/` and the name of one of timm's.
        dims: Length of the descriptor; track 2 admits at most 256, SSCD publishes 512.
        gem_p: Exponent of the generalised-mean pooling.
        pooling: `gem` as published, which drops negative activations; `avg` for the mean of all;
            `cls` for a transformer's class token alone; `attention` for smoothed activations
            weighted by their norm, as in HOW.
        head: `linear` to `dims`; `none` for the pooled channels themselves, as in Multigrain, with
            `dims` their number.
        gem_p_inference: Exponent of the pooling when pictures are described; `gem_p` if null.
        last_stage: The stage, 1 to 4, whose map is pooled; other than 4 of ResNets only.
    """

    backbone: str = "resnet50"
    dims: int = 256
    gem_p: float = 3.0
    pooling: PoolingName = "gem"
    head: HeadName = "linear"
    gem_p_inference: float | None = None
    last_stage: int = 4

    def __post_init__(self) -> None:
        check_backbone(self.backbone)
        if self.dims < 1:
            raise ValueError(f"dims got {self.dims}; expected at least 1")
        self._check_pooling()
        if self.head not in get_args(HeadName):
            raise ValueError(f"head got {self.head!r}; expected linear or none")
        if self.last_stage not in (1, 2, 3, 4):
            raise ValueError(f"last_stage got {self.last_stage}; expected 1 to 4")
        if self.last_stage != 4 and not has_stages(self.backbone):
            raise ValueError(
                f"last_stage got {self.last_stage}, and {self.backbone} is no ResNet; expected 4"
            )

    def _check_pooling(self) -> None:
        for name in ("gem_p", "gem_p_inference"):
            exponent = getattr(self, name)
            if exponent is not None and not 0 < exponent < math.inf:
                raise ValueError(f"{name} got {exponent}; expected a number above 0")
        if self.pooling not in get_args(PoolingName):
            raise ValueError(f"pooling got {self.pooling!r}; expected gem, avg, cls or attention")
        if self.pooling == "cls" and not has_class_token(self.backbone):
            raise ValueError(
                f"pooling got cls, and {self.backbone} has no class token; expected gem or avg"
            )
        if self.gem_p_inference is not None and self.pooling != "gem":
            raise ValueError(
                f"gem_p_inference got {self.gem_p_inference}, and pooling is {self.pooling}; "
                "expected null, or pooling gem"
            )


class DescriptorNet(nn.Module):
    """A picture's descriptor: `backbone → pooling → linear to dims → L2`.

    Args:
        config: The parts and their sizes.

    Raises:
        ValueError: There is no head, and `dims` is not the backbone's number of channels.
    """

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone, channels = build_backbone(
            config.backbone,
            class_token=config.pooling == "cls",
            last_stage=config.last_stage,
        )
        self.pool = _pool_of(config)
        self.head = _head_of(config, channels)
        mean = torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1)
        std = torch.tensor(IMAGE_STD).view(1, 3, 1, 1)
        self.register_buffer("image_mean", mean * 255, persistent=False)
        self.register_buffer("image_std", std * 255, persistent=False)

    def forward(self, pictures: Tensor, *, unit: bool = True) -> Tensor:
        """Describe pictures.

        Args:
            pictures: (B, 3, H, W); uint8 RGB is normalised here, on the device, and floats are
                taken as normalised already.
            unit: Whether to divide by the norm at the end; a classifier wants what comes before.

        Returns:
            Unit-norm descriptors (B, D), float32.
        """
        embedded: Tensor = self.head(self.pool(self.activations(pictures))).float()
        return functional.normalize(embedded, dim=1) if unit else embedded

    def activations(self, pictures: Tensor) -> Tensor:
        """The backbone's map (B, C, h, w) of pictures, as `forward` takes them."""
        normalised = self.normalised(pictures).contiguous(memory_format=torch.channels_last)
        activations: Tensor = self.backbone(normalised)
        return activations

    def normalised(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) as floats of mean 0 and deviation 1; floats stay as they are."""
        if pictures.dtype != torch.uint8:
            return pictures
        return (pictures.float() - self.image_mean) / self.image_std

    def local(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Describe the cells of pictures' maps, for `pooling: attention` (HOW, section 3.2).

        Args:
            pictures: As `forward` takes them.

        Returns:
            Local descriptors (B, D, h, w), of any norm, and attentions (B, h, w), both float32.
            L2-normalised sums of the ones weighted by the others are what `forward` gives.

        Raises:
            ValueError: The network pools in another way.
        """
        check_local(self.config)
        activations = self.activations(pictures)
        described = self.head(smoothed(activations).movedim(1, -1)).float().movedim(-1, 1)
        return described, attention_of(activations)


def check_local(config: NetworkConfig) -> None:
    """Check that a network has local descriptors.

    Raises:
        ValueError: It pools in another way.
    """
    if config.pooling != "attention":
        raise ValueError(
            f"local descriptors are of pooling attention; this network has {config.pooling}"
        )


def _pool_of(config: NetworkConfig) -> nn.Module:
    match config.pooling:
        case "gem":
            return GeM(config.gem_p, p_inference=config.gem_p_inference)
        case "attention":
            return AttentionPool()
        case _:
            return AveragePool()


def _head_of(config: NetworkConfig, channels: int) -> Any:
    if config.head == "linear":
        return nn.Linear(channels, config.dims)
    if config.dims != channels:
        raise ValueError(
            f"dims got {config.dims}, and head is none; expected {channels}, the channels of "
            f"{config.backbone}{'' if config.last_stage == 4 else f' at stage {config.last_stage}'}"
        )
    return nn.Identity()
