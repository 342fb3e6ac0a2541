"""The descriptor network: backbone → pooling → linear → L2."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.models.backbones import build_backbone
from sscd.models.network_config import NetworkConfig as NetworkConfig  # noqa: PLC0414
from sscd.models.pooling import AttentionPool, AveragePool, GeM, attention_of, smoothed
from sscd.models.projection import DescriptorProjection
from sscd.models.resized_views import resized_views

# The mean and deviation of ImageNet, in RGB, which every published copy-detection network expects.
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


class DescriptorNet(nn.Module):
    """A picture's descriptor: `backbone → pooling → linear to dims → L2`.

    A network that was exported with its whitening goes on with `projection`.

    Args:
        config: The parts and their sizes.

    Raises:
        ValueError: There is no head, and `dims` is not the backbone's number of channels.
    """

    image_mean: Tensor
    image_std: Tensor
    projection: DescriptorProjection | None

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
        self.register_module("projection", None)
        mean = torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1)
        std = torch.tensor(IMAGE_STD).view(1, 3, 1, 1)
        self.register_buffer("image_mean", mean * 255, persistent=False)
        self.register_buffer("image_std", std * 255, persistent=False)

    def forward(self, pictures: Tensor, *, unit: bool = True) -> Tensor:
        """Describe pictures.

        Args:
            pictures: (B, 3, H, W); uint8 RGB is normalised here, on the device, and floats are
                taken as normalised already.
            unit: Whether to divide by the norm at the end; a classifier wants what comes before, of
                the pictures as they are.

        Returns:
            Unit-norm descriptors (B, D), float32.
        """
        resized = unit and not self.training and not self.config.sees_as_given
        embedded = self._mean(pictures) if resized else self._embed(pictures)
        if not unit:
            return embedded
        described = functional.normalize(embedded, dim=1)
        return described if self.projection is None else self.projection(described)

    def _embed(self, pictures: Tensor) -> Tensor:
        """What comes before L2 (B, D), float32."""
        embedded: Tensor = self.head(self.pool(self.activations(pictures))).float()
        return embedded

    def _mean(self, pictures: Tensor) -> Tensor:
        """The mean (B, D) of the descriptors at all scales, of mirror images too."""
        scales, mirror = self.config.scales, self.config.mirror
        seen = resized_views(self.normalised(pictures), scales, mirror=mirror)
        return torch.stack([functional.normalize(self._embed(one), dim=1) for one in seen]).mean(0)

    @property
    def dims(self) -> int:
        """Length D of a descriptor: that of the projection, where there is one."""
        return self.config.dims if self.projection is None else self.projection.dims

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
            return GeM(config.gem_p, p_inference=config.gem_p_inference, learnt=config.gem_p_learnt)
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
