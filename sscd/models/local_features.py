"""Local descriptors of pictures at several scales (HOW; Tolias, Jenicek and Chum, ECCV 2020)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sscd.models.descriptor import DescriptorNet, check_local
from sscd.models.pooling import attention_of, smoothed

SCALES = (2.0, 1.414, 1.0, 0.707, 0.5, 0.353, 0.25)
"""Of a picture whose longest side is at most 1024 pixels, as the published networks see it."""

LIMIT = 2000
"""Descriptors of a picture in the DISC21 paper's figures (section 5.1)."""

# A ResNet's first maps take 64 to 128 bytes a pixel; a picture of 1024 pixels has 4 million at
# scale 2.
_PIXELS_AT_ONCE = 8_000_000


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """The cells of one picture that matter most, by falling attention.

    Attributes:
        descriptors: (n, D) float32, of any norm.
        attention: (n,) float32, above 0; the largest of the picture is 1.
    """

    descriptors: NDArray[np.float32]
    attention: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.attention)


def local_features(
    network: DescriptorNet,
    pictures: Tensor,
    *,
    scales: Sequence[float] = SCALES,
    limit: int = LIMIT,
    reduced: bool = True,
) -> list[LocalFeatures]:
    """The strongest local descriptors of pictures over all scales.

    A descriptor is a smoothed activation after the head; its attention is the norm of the
    activation as it was, divided by the picture's largest over all scales. Pictures are scaled
    after their normalisation, bilinearly without antialiasing, as in the published method. A side
    is never scaled to less than a pixel.

    Args:
        network: With `pooling: attention`, in evaluation mode.
        pictures: (B, 3, H, W) uint8 RGB, on any device.
        scales: Factors of both sides.
        limit: The most descriptors of a picture.
        reduced: Apply the head; without it descriptors are the smoothed activations, C long, from
            which a whitening is learnt.

    Returns:
        The features of each picture, on the CPU.

    Raises:
        ValueError: The network pools in another way or is in training mode, or there is no scale
            or no limit.
    """
    _check(network, scales, limit)
    height, width = pictures.shape[-2:]
    at_once = max(1, int(_PIXELS_AT_ONCE / (height * width * max(scales) ** 2)))
    found: list[LocalFeatures] = []
    with torch.inference_mode():
        for start in range(0, len(pictures), at_once):
            batch = pictures[start : start + at_once].to(network.image_mean.device)
            descriptors, attention = _over_scales(network, batch, scales, limit)
            if reduced:
                descriptors = network.head(descriptors).float()
            pairs = zip(descriptors.cpu().numpy(), attention.cpu().numpy(), strict=True)
            found += [LocalFeatures(vectors, weights) for vectors, weights in pairs]
    return found


def _over_scales(
    network: DescriptorNet, pictures: Tensor, scales: Sequence[float], limit: int
) -> tuple[Tensor, Tensor]:
    """The strongest smoothed activations (B, n, C) of all scales, and their attentions (B, n)."""
    normalised = network.normalised(pictures)
    found = [_strongest(network.activations(_scaled(normalised, scale)), limit) for scale in scales]
    attention = torch.cat([weights for _, weights in found], dim=1)
    attention, order = attention.topk(min(limit, attention.shape[1]), dim=1)
    descriptors = _picked(torch.cat([vectors for vectors, _ in found], dim=1), order)
    return descriptors, attention / attention[:, :1]


def _check(network: DescriptorNet, scales: Sequence[float], limit: int) -> None:
    check_local(network.config)
    if network.training:
        raise ValueError("the network is in training mode; local descriptors want .eval()")
    if not scales or not all(0 < scale < math.inf for scale in scales):
        raise ValueError(f"scales got {tuple(scales)}; expected numbers above 0")
    if limit < 1:
        raise ValueError(f"limit got {limit}; expected at least 1")


def _scaled(pictures: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return pictures
    if min(pictures.shape[-2:]) * scale >= 1:
        return functional.interpolate(
            pictures, scale_factor=scale, mode="bilinear", align_corners=False
        )
    height, width = (max(1, int(side * scale)) for side in pictures.shape[-2:])
    return functional.interpolate(
        pictures, size=(height, width), mode="bilinear", align_corners=False
    )


def _strongest(activations: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Smoothed activations (B, n, C) of the cells of most attention, and that (B, n), falling."""
    attention = attention_of(activations).flatten(1)
    attention, order = attention.topk(min(limit, attention.shape[1]), dim=1)
    return _picked(smoothed(activations).flatten(2).transpose(1, 2), order), attention


def _picked(vectors: Tensor, order: Tensor) -> Tensor:
    """Rows (B, n, D) of vectors (B, N, D) at places (B, n)."""
    return vectors.gather(1, order[:, :, None].expand(-1, -1, vectors.shape[2]))
