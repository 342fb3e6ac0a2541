"""GIST's local contrast normalisation: what light and contrast do to a picture is taken out."""

import torch
from torch import Tensor

from sscd.baselines.gist.filters import low_pass

PADDING = 5
"""Pixels by which a picture is mirrored over each border."""

_FLOOR = 0.2


def normalise_contrast(pictures: Tensor) -> Tensor:
    """Logarithm, less its low-pass, over 0.2 plus the local standard deviation of the three's mean.

    Args:
        pictures: (B, 3, side, side) float32, from 0 to 255.

    Returns:
        The same shape; zero, but for rounding, for a picture of one colour.
    """
    side = pictures.shape[-1]
    mirrored = _mirrored(side)
    padded = torch.log1p(pictures)[:, :, mirrored[:, None], mirrored]
    detail = padded - _smooth(padded)
    variance = _smooth(detail.mean(dim=1, keepdim=True).square())
    normalised = detail / (_FLOOR + variance.abs().sqrt())  # rounding makes it negative
    inside = slice(PADDING, PADDING + side)
    return normalised[:, :, inside, inside]


def _mirrored(side: int) -> Tensor:
    """Where the pixels of a padded row come from: 4, 3, …, 0, 0, 1, …, the border twice."""
    rows = torch.arange(side)
    return torch.cat([rows[:PADDING].flip(0), rows, rows[-PADDING:].flip(0)])


def _smooth(pictures: Tensor) -> Tensor:
    side = pictures.shape[-1]
    smooth: Tensor = torch.fft.irfft2(torch.fft.rfft2(pictures) * low_pass(side), s=(side, side))
    return smooth
