"""Structural similarity of pictures, pixel by pixel, and changes that keep to where it stays high.

Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
similarity" (IEEE Transactions on Image Processing 2004): a Gaussian window of 11 × 11 pixels with a
deviation of 1.5, K₁ = 0.01, K₂ = 0.03. Each colour channel by itself.
"""

import functools

import torch
from torch import Tensor
from torch.nn import functional

_WINDOW = 11
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
_MIDDLE = 127.5
"""Subtracted first: float32 loses least to the difference of two squares around zero."""


class SSIMTo:
    """The similarity of any pictures to given ones, whose own part is computed once.

    Args:
        pictures: (B, C, H, W) floats from 0 to 255, of any size.
    """

    def __init__(self, pictures: Tensor) -> None:
        self.pictures = pictures
        self._centred = pictures - _MIDDLE
        self._mean, square = _smooth(self._centred, self._centred.square())
        self._variance = (square - self._mean.square()).clamp(min=0)

    def map(self, others: Tensor) -> Tensor:
        """How alike pictures are around each pixel.

        Beyond its edges a picture goes on with its outermost pixels, so that those have a value,
        too.

        Args:
            others: The shape of the pictures.

        Returns:
            (B, C, H, W): 1 where both are the same, 0 where they have nothing in common, below 0
            where one is like the negative of the other.

        Raises:
            ValueError: The shapes differ.
        """
        if others.shape != self.pictures.shape:
            raise ValueError(
                f"others got {tuple(others.shape)}; expected {tuple(self.pictures.shape)}"
            )
        centred = others - _MIDDLE
        mean, square, product = _smooth(centred, centred.square(), centred * self._centred)
        variance = (square - mean.square()).clamp(min=0)
        covariance = product - mean * self._mean
        one, other = self._mean + _MIDDLE, mean + _MIDDLE
        light = (2 * one * other + _C1) / (one.square() + other.square() + _C1)
        return light * (2 * covariance + _C2) / (self._variance + variance + _C2)

    def attenuate(self, latent: Tensor) -> Tensor:
        """Keep changes where they are seen least: on edges and texture (DISC21, A.3, equation 4).

        A change is multiplied by the SSIM around it, the mean of the channels and at least 0, as
        in the watermarks that the paper refers to (Fernandez et al., ICASSP 2022, arXiv
        2112.09581): on a plain ground most of it is lost, within texture little.

        Args:
            latent: (B, C, H, W) changed pictures, floats around 0 to 255.

        Returns:
            (B, C, H, W).
        """
        kept = self.map(latent).mean(dim=1, keepdim=True).clamp(min=0)
        return self.pictures + (latent - self.pictures) * kept


def ssim(pictures: Tensor, others: Tensor) -> Tensor:
    """The mean similarity of each picture to another.

    Args:
        pictures: (B, C, H, W), values from 0 to 255 of any type.
        others: The same shape.

    Returns:
        (B,); 1 where both are the same.

    >>> grey = torch.full((1, 3, 8, 8), 100.0)
    >>> float(ssim(grey, grey))
    1.0
    """
    return SSIMTo(pictures.float()).map(others.float()).mean(dim=(1, 2, 3))


def _smooth(*fields: Tensor) -> tuple[Tensor, ...]:
    """The means around each pixel of (B, C, H, W) fields, weighted by the window."""
    stacked = torch.cat(fields, dim=1)
    channels, reach = stacked.shape[1], _WINDOW // 2
    weights = _weights().to(stacked)
    across = weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    down = weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    padded = functional.pad(stacked, (reach,) * 4, mode="replicate")
    rows = functional.conv2d(padded, across, groups=channels)
    return functional.conv2d(rows, down, groups=channels).chunk(len(fields), dim=1)


@functools.cache
def _weights() -> Tensor:
    distance = torch.arange(_WINDOW, dtype=torch.float64) - _WINDOW // 2
    bell = torch.exp(-distance.square() / (2 * _SIGMA**2))
    return bell / bell.sum()
