"""The descriptor network: backbone → GeM → linear → L2."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.models.backbones import BackboneName, build_backbone
from sscd.models.pooling import GeM

# The mean and deviation of ImageNet, in RGB, which every published copy-detection network expects.
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NetworkConfig:
    """What a descriptor network is made of.

    Attributes:
        backbone: A torchvision network by name.
        dims: Length of the descriptor; track 2 admits at most 256, SSCD publishes 512.
        gem_p: Exponent of the generalised-mean pooling.
    """

    backbone: BackboneName = "resnet50"
    dims: int = 256
    gem_p: float = 3.0

    def __post_init__(self) -> None:
        if self.dims < 1:
            raise ValueError(f"dims got {self.dims}; expected at least 1")
        if self.gem_p <= 0:
            raise ValueError(f"gem_p got {self.gem_p}; expected a number above 0")


class DescriptorNet(nn.Module):
    """A picture's descriptor: `backbone → GeM → linear to dims → L2`.

    Args:
        config: The parts and their sizes.
    """

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone, channels = build_backbone(config.backbone)
        self.pool = GeM(config.gem_p)
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
