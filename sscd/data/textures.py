"""Textures of procedural pictures: coloured noise with a natural spectrum, and patterns."""

import functools
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_NOISE_SIDE = 128
"""Noise is drawn at this side at most and enlarged: the transform is most of a large picture."""


def draw_texture(rng: np.random.Generator, *, size: int, palette: Bytes) -> Image.Image:
    """Draw noise, a gradient, stripes or checks in two or three colours of the palette.

    Args:
        rng: Source of randomness.
        size: Side in pixels.
        palette: Colours (n, 3), uint8.

    Returns:
        RGB picture of (size, size).
    """
    kind = ("noise", "noise", "gradient", "stripes", "checks")[int(rng.integers(5))]
    if kind == "noise":
        side = min(size, _NOISE_SIDE)
        noise = _power_noise(rng, side=side, exponent=float(rng.uniform(0.6, 2.2)))
        values = Image.fromarray(np.uint8(noise * 255)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
    else:
        values = Image.fromarray(np.uint8(_pattern(rng, size=size, kind=kind) * 255))
    stops = palette[rng.integers(0, len(palette), int(rng.integers(2, 4)))].astype(np.float32)
    if np.ptp(stops.sum(axis=1)) < 90:  # two stops alike would give a blank texture
        stops[-1] = 255 - stops[0]
    positions = np.linspace(0, 255, len(stops))
    ramps = [np.interp(np.arange(256), positions, stops[:, c]).astype(np.uint8) for c in range(3)]
    return Image.merge("RGB", [values.point(ramp.tolist()) for ramp in ramps])


def _power_noise(rng: np.random.Generator, *, side: int, exponent: float) -> Floats:
    """Draw noise whose amplitude falls as 1/f**exponent, stretched to [0, 1]: (side, side)."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    frequency = _frequencies(side)
    stretch = float(np.exp(rng.normal(0, 0.5)))  # grass and water run one way
    radius = np.hypot(frequency[0] * stretch, frequency[1] / stretch)
    radius[0, 0] = 1
    noise = np.fft.irfft2(spectrum * radius**-exponent, s=(side, side))
    low, high = np.percentile(noise[::4, ::4], (2, 98))
    return np.asarray(np.clip((noise - low) / (high - low), 0, 1), dtype=np.float32)


@functools.cache
def _frequencies(side: int) -> tuple[Floats, Floats]:
    down, across = np.fft.fftfreq(side), np.fft.rfftfreq(side)
    return down[:, None].astype(np.float32), across[None, :].astype(np.float32)


def _pattern(rng: np.random.Generator, *, size: int, kind: str) -> Floats:
    """Draw a gradient, stripes or checks at an angle, in [0, 1]: (size, size)."""
    line = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    angle = float(rng.uniform(0, 2 * math.pi))
    along = line[None, :] * math.cos(angle) + line[:, None] * math.sin(angle)
    across = line[:, None] * math.cos(angle) - line[None, :] * math.sin(angle)
    if kind == "gradient":
        center = rng.uniform(-0.5, 0.5, 2)
        round_ = np.hypot(line[None, :] - center[0], line[:, None] - center[1])
        values = along + 0.5 if rng.random() < 0.5 else round_
        return np.asarray(np.clip(values, 0, 1), dtype=np.float32)
    frequency = float(np.exp(rng.uniform(math.log(12), math.log(120))))
    bend = float(rng.uniform(0, 1.5))
    wave = np.sin(along * frequency + bend * np.sin(across * float(rng.uniform(3, 20))))
    if kind == "checks":
        wave = wave * np.sin(across * frequency)
    sharpness = float(rng.uniform(1, 6))
    return np.asarray(np.clip(0.5 + 0.5 * sharpness * wave, 0, 1), dtype=np.float32)
