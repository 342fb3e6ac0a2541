"""GIST as it is usually written: one picture, one filter and one cell at a time, in NumPy."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SCALES = ((0.3, 8), (0.3 / 1.85, 8), (0.3 / 1.85**2, 4))  # cycles a pixel, orientations


def plain_gist(crop: NDArray[np.uint8]) -> Floats:
    """One crop (32, 32, 3) → 960 values, in float64."""
    channels = _normalised(np.log(crop.astype(np.float64) + 1))
    return np.array([value for channel in channels for value in _energies(channel)])


def _normalised(logarithm: Floats) -> list[Floats]:
    padded = np.pad(logarithm, ((5, 5), (5, 5), (0, 0)), mode="symmetric")
    details = [padded[..., c] - _blurred(padded[..., c]) for c in range(3)]
    mean = (details[0] + details[1] + details[2]) / 3
    deviation = np.sqrt(np.abs(_blurred(mean**2)))
    return [(detail / (0.2 + deviation))[5:-5, 5:-5] for detail in details]


def _blurred(picture: Floats) -> Floats:
    height, width = picture.shape
    fy, fx = _frequencies(height, width)
    spectrum = np.fft.fft2(picture) * np.exp(-(fx**2 + fy**2) * math.log(2) / 16)
    return np.fft.ifft2(spectrum).real


def _energies(channel: Floats) -> list[float]:
    height, width = channel.shape
    fy, fx = _frequencies(height, width)
    values = []
    for peak, orientations in _SCALES:
        for number in range(orientations):
            angle = np.arctan2(fy, fx) + number * math.pi / orientations
            angle = (angle + math.pi) % (2 * math.pi) - math.pi
            radius = np.sqrt(fx**2 + fy**2) / width / peak - 1
            transfer = np.exp(-3.5 * radius**2 - 2 * math.pi * (orientations / 8) ** 2 * angle**2)
            response = np.abs(np.fft.ifft2(np.fft.fft2(channel) * transfer))
            for column in range(0, width, width // 4):
                for row in range(0, height, height // 4):
                    cell = response[row : row + height // 4, column : column + width // 4]
                    values.append(float(cell.mean()))
    return values


def _frequencies(height: int, width: int) -> tuple[Floats, Floats]:
    fy = np.fft.fftfreq(height, 1 / height).astype(np.float64)
    fx = np.fft.fftfreq(width, 1 / width).astype(np.float64)
    return fy[:, None], fx[None, :]
