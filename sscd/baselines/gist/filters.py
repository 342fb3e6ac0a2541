"""GIST's filters, as real transfer functions in the order of the discrete Fourier transform."""

import functools
import math

import torch
from torch import Tensor

ORIENTATIONS = (8, 8, 4)
"""Orientations of each scale, finest scale first."""

CUTOFF = 4.0
"""Cycles over the padded picture at which the low-pass filter halves."""

_RADIAL = 3.5  # 10 · 0.35
_PEAK, _PEAK_RATIO = 0.3, 1.85


@functools.cache
def low_pass(side: int) -> Tensor:
    """The Gaussian low-pass 2^(−‖f‖²/4²) of the local contrast normalisation.

    Args:
        side: Of the (padded) picture, in pixels.

    Returns:
        (side, side // 2 + 1) float32, for a real transform.
    """
    f = _frequencies(side)
    half = torch.arange(side // 2 + 1, dtype=torch.float64)
    squared = f[:, None] ** 2 + half[None, :] ** 2
    return torch.exp2(-squared / CUTOFF**2).float()


@functools.cache
def gabor_bank(side: int) -> Tensor:
    """The Gabor-like filters, each a Gaussian bump around one frequency and one direction.

    With ρₛ = 0.3 / 1.85ˢ cycles a pixel for scale s, its o orientations θ = jπ/o, and φ the angle
    between f and the direction −θ,
    `G(f) = exp(−3.5 · (‖f‖ / (side · ρₛ) − 1)² − 2π · (o/8)² · φ²)`.

    A filter sees one half of the plane, so what it makes of a picture is complex.

    Args:
        side: Of the picture, in pixels.

    Returns:
        (20, side, side) float32: scale by scale, and orientation by orientation.
    """
    f = _frequencies(side)
    radius = torch.hypot(f[:, None], f[None, :])
    direction = torch.atan2(f[:, None].expand(side, side), f[None, :].expand(side, side))
    filters = []
    for scale, orientations in enumerate(ORIENTATIONS):
        peak = side * _PEAK / _PEAK_RATIO**scale
        radial = _RADIAL * (radius / peak - 1) ** 2
        for number in range(orientations):
            angle = _wrapped(direction + math.pi * number / orientations)
            filters.append(torch.exp(-radial - 2 * math.pi * (orientations / 8 * angle) ** 2))
    return torch.stack(filters).float()


def _frequencies(side: int) -> Tensor:
    """Cycles over the picture (side,), whole numbers: 0, 1, …, −2, −1."""
    f: Tensor = torch.fft.fftfreq(side, 1 / side, dtype=torch.float64)
    return f


def _wrapped(angle: Tensor) -> Tensor:
    """Angles of up to 2π, brought to −π..π."""
    return torch.where(angle > math.pi, angle - 2 * math.pi, angle)
