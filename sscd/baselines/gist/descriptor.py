"""GIST: how much of each scale and orientation there is in each cell of a small picture."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sscd.baselines.gist.contrast import normalise_contrast
from sscd.baselines.gist.filters import ORIENTATIONS, gabor_bank

SIDE = 32
"""Side of the picture that is described, in pixels."""

CELLS = 4
"""Cells along a side."""

DIMS = 3 * sum(ORIENTATIONS) * CELLS**2
"""Length of a descriptor: 960."""

_AT_ONCE = 32  # what one filter makes of these, 800 kB, stays in the cache


def gist(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colour GIST, as lear_gist 1.2 computes it: not normalised, and equal but for rounding.

    Args:
        crops: (B, 32, 32, 3) uint8 RGB.

    Returns:
        (B, 960): channel by channel, filter by filter (`gabor_bank`), the 4×4 cells column by
        column.

    Raises:
        ValueError: The crops are of another shape or type.
    """
    if crops.shape[1:] != (SIDE, SIDE, 3) or crops.dtype != np.uint8:
        raise ValueError(
            f"got crops {crops.shape} {crops.dtype}; expected (B, {SIDE}, {SIDE}, 3) uint8"
        )
    result = np.empty((len(crops), DIMS), np.float32)
    with torch.inference_mode():
        for start in range(0, len(crops), _AT_ONCE):
            chunk = torch.from_numpy(crops[start : start + _AT_ONCE].transpose(0, 3, 1, 2).copy())
            normalised = normalise_contrast(chunk.float())
            result[start : start + len(chunk)] = _cell_energies(normalised).flatten(1).numpy()
    return result


def _cell_energies(pictures: Tensor) -> Tensor:
    """Mean magnitude of what each filter makes of each cell.

    Args:
        pictures: (B, 3, side, side).

    Returns:
        (B, 3, 20, 4 columns, 4 rows).
    """
    spectrum = torch.fft.fft2(pictures)
    bank = gabor_bank(pictures.shape[-1])
    return torch.stack([_cell_means(_magnitude(spectrum * one)) for one in bank], dim=2)


def _magnitude(spectrum: Tensor) -> Tensor:
    filtered: Tensor = torch.fft.ifft2(spectrum)
    # Several times faster than abs(), which guards against overflow.
    return (filtered.real.square() + filtered.imag.square()).sqrt_()


def _cell_means(pictures: Tensor) -> Tensor:
    """Means (B, C, 4 columns, 4 rows) of the cells of pictures (B, C, side, side)."""
    pixels = pictures.shape[-1] // CELLS
    cells = pictures.reshape(*pictures.shape[:2], CELLS, pixels, CELLS, pixels)
    means: Tensor = cells.sum(3).sum(-1) / pixels**2
    return means.transpose(-1, -2)
