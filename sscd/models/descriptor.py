"""The descriptor network: backbone → pooling → linear → L2."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.models.backbones import build_backbone, check_backbone, has_class_token
from sscd.models.pooling import AveragePool, GeM

# The mean and deviation of ImageNet, in RGB, which every published copy-detection network expects.
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NetworkConfig:
    """What a descriptor network is made of.

    Attributes:
        backbone: A ResNet, ResNeXt, Wide ResNet, EfficientNet, ConvNeXt or ViT by torchvision's
            name, or `timm/` and the name of one of timm's.
        dims: Length of the descriptor; track 2 admits at most 256, SSCD publishes 512.
        gem_p: Exponent of the generalised-mean pooling.
        pooling: `gem` as published, which drops negative activations; `avg` for the mean of all;
            `cls` for a transformer's class token alone.
    """

    backbone: str = "resnet50"
    dims: int = 256
    gem_p: float = 3.0
    pooling: Literal["gem", "avg", "cls"] = "gem"

    def __post_init__(self) -> None:
        check_backbone(self.backbone)
        if self.dims < 1:
            raise ValueError(f"dims got {self.dims}; expected at least 1")
        if self.gem_p <= 0:
            raise ValueError(f"gem_p got {self.gem_p}; expected a number above 0")
        if self.pooling not in ("gem", "avg", "cls"):
            raise ValueError(f"pooling got {self.pooling!r}; expected gem, avg or cls")
        if self.pooling == "cls" and not has_class_token(self.backbone):
            raise ValueError(
                f"pooling got cls, and {self.backbone} has no class token; expected gem or avg"
            )


class DescriptorNet(nn.Module):
    """A picture's descriptor: `backbone → pooling → linear to dims → L2`.

    Args:
        config: The parts and their sizes.
    """

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone, channels = build_backbone(
            config.backbone, class_token=config.pooling == "cls"
        )
        self.pool: nn.Module = GeM(config.gem_p) if config.pooling == "gem" else AveragePool()
        self.head = nn.Linear(channels, config.dims)
        mean = torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1)
        std = torch.tensor(IMAGE_STD).view(1, 3, 1, 1)
        self.register_buffer("image_mean", mean * 255, persistent=False)
        self.register_buffer("image_std", std * 255, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Describe pictures.

        Args:
            pictures: (B, 3, H, W); uint8 RGB is normalised here, on the device, and floats are
                taken as normalised already.

        Returns:
            Unit-norm descriptors (B, D), float32.
        """
        if pictures.dtype == torch.uint8:
            pictures = (pictures.float() - self.image_mean) / self.image_std
        activations = self.backbone(pictures.contiguous(memory_format=torch.channels_last))
        return functional.normalize(self.head(self.pool(activations)).float(), dim=1)
