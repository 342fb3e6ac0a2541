"""What a camera does to the light of a scene: pure functions on RGB pictures.

The order is that of the light: optics (defocus, motion), then the scene's light (moiré, glare,
vignetting), then the sensor (exposure, white balance, noise, clipping) and its tone curve.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from sscd.augment.edits.view import View

_GAMMA = 2.2
_LEVELS = 4096
# Noise has the grain of a sensor with so many pixels along its short side.
_GRAIN_SIDE = 320


@dataclass(frozen=True)
class Exposure:
    """One shot; light is linear, 1 the brightest of the scene.

    Attributes:
        gain: Exposure; above 1 highlights clip.
        curve: Strength of the S-shaped tone curve, in [0, 1].
        cast: Gain of red, green and blue: a wrong white balance.
        vignette: Light lost in the corners, in [0, 1).
        glare: Light that a lamp's reflection adds at its brightest.
        glare_at: (x, y) of the reflection over the photograph's sides.
        glare_size: Its standard deviation over the short side.
        shot_noise: Variance of the noise over the light.
        read_noise: Standard deviation of the noise in the dark.
        noise_seed: Of the noise.
    """

    gain: float
    curve: float
    cast: tuple[float, float, float]
    vignette: float
    glare: float
    glare_at: tuple[float, float]
    glare_size: float
    shot_noise: float
    read_noise: float
    noise_seed: int


@dataclass(frozen=True)
class Lens:
    """Blur, in shares of the photograph's short side.

    Attributes:
        defocus: Standard deviation of a Gaussian.
        motion: Length of a straight movement during the exposure.
        direction: Of the movement, degrees.
    """

    defocus: float
    motion: float
    direction: float


@dataclass(frozen=True)
class Moire:
    """Beats between a display's grid and the sensor's.

    Attributes:
        strength: Deviation of the light that they cause, as a share of it.
        grid: Rows of the display's grid over the picture's short side.
        columns: (x, y): beats with the grid's columns over the photograph's short side, where
            they are seen head-on.
        rows: The same of the grid's rows.
        chroma: How far the three colours' stripes are told apart, in [0, 1].
    """

    strength: float
    grid: float
    columns: tuple[float, float]
    rows: tuple[float, float]
    chroma: float


def blur(image: Image.Image, lens: Lens) -> Image.Image:
    """Blur an RGB picture by a Gaussian, and along a straight movement."""
    short = min(image.size)
    angle, length = np.radians(lens.direction), lens.motion * short
    # Eight equal exposures along the way, by three doublings.
    for part in (length / 2, length / 4, length / 8):
        x, y = float(part * np.cos(angle)), float(part * np.sin(angle))
        if max(abs(x), abs(y)) >= 0.25:
            image = Image.blend(image, _shift(image, x, y), 0.5)
    return image.filter(ImageFilter.GaussianBlur(lens.defocus * short))


def beat(view: View, moire: Moire, *, period: float) -> np.ndarray:
    """Return the moiré of a display.

    The product of two gratings has a part at the difference of their phases. The display's grating
    is seen in perspective; the sensor's is straight and agrees with it at the photograph's centre
    up to the given beats. So fringes are straight when the screen is seen head-on and bend as it
    tilts. Red, green and blue stripes lie a third of a period apart, hence the colours; rows of
    pixels have none.

    Args:
        view: How the display is seen.
        moire: Its beats.
        period: Of the display's grid, in pixels of the picture.

    Returns:
        float32 (height, width, 3): factors of the light, about 1.
    """
    u, v = view.plane()
    columns = _beat_phase(u / np.float32(period), moire.columns)
    rows = np.cos(_beat_phase(v / np.float32(period), moire.rows))
    half = np.float32(moire.strength / 2)
    third = np.float32(2 * np.pi / 3 * moire.chroma)
    cos, sin = np.cos(columns), np.sin(columns)
    steady = 1 + half * (rows + cos * np.cos(third))  # red and blue: cos(columns ∓ third)
    factors = np.empty((*cos.shape, 3), np.float32)
    sin *= half * np.sin(third)
    np.add(steady, sin, out=factors[..., 0])
    np.add(half * (rows + cos), np.float32(1), out=factors[..., 1])
    np.subtract(steady, sin, out=factors[..., 2])
    return factors


def _beat_phase(grating: np.ndarray, beats: tuple[float, float]) -> np.ndarray:
    """Phase of the beats, radians: the grating's, less its slope, plus the beats' own."""
    height, width = grating.shape
    row, column = height // 2, width // 2
    slope_x = (grating[row, -1] - grating[row, 0]) / max(1, width - 1)
    slope_y = (grating[-1, column] - grating[0, column]) / max(1, height - 1)
    short = min(height, width)
    x = (np.arange(width) * (beats[0] / short - slope_x)).astype(np.float32)
    y = (np.arange(height) * (beats[1] / short - slope_y)).astype(np.float32)
    phase: np.ndarray = np.float32(2 * np.pi) * (grating + x + y[:, None])
    return phase


def expose(scene: Image.Image, shot: Exposure, *, factors: np.ndarray | None) -> Image.Image:
    """Photograph a scene.

    Args:
        scene: RGB, as the eye sees it.
        shot: How.
        factors: float32 (height, width, 3): what the scene's light is multiplied by, or None.

    Returns:
        RGB, of the same size.
    """
    linear = (np.arange(256, dtype=np.float32) / 255) ** _GAMMA
    light = linear[np.asarray(scene)]
    if factors is not None:
        light *= factors
    width, height = scene.size
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light += (shot.glare * _spot(scene.size, shot.glare_at, shot.glare_size))[..., None]
    light *= (1 - np.float32(shot.vignette / 2) * (x * x + y * y))[..., None]
    light *= np.array(shot.cast, np.float32) * np.float32(shot.gain)
    grain = _grain(scene.size, shot.noise_seed)
    deviation = np.sqrt(np.float32(shot.shot_noise) * light + np.float32(shot.read_noise**2))
    light += grain * deviation
    np.clip(light, 0, 1, out=light)
    light *= _LEVELS - 1
    return Image.fromarray(tone_curve(shot.curve)[light.astype(np.uint16)])


def tone_curve(strength: float) -> np.ndarray:
    """Return the uint8 level of 4096 levels of linear light: gamma 2.2, then an S-shape."""
    level = (np.arange(_LEVELS) / (_LEVELS - 1)) ** (1 / _GAMMA)
    level += strength * (level * level * (3 - 2 * level) - level)
    return np.round(255 * level).astype(np.uint8)


def _shift(image: Image.Image, x: float, y: float) -> Image.Image:
    """Move by a fraction of a pixel; what comes in from outside is what was there before."""
    width, height = image.size
    known = (
        max(0, math.ceil(-x)),
        max(0, math.ceil(-y)),
        width - max(0, math.ceil(x)),
        height - max(0, math.ceil(y)),
    )
    if known[0] >= known[2] or known[1] >= known[3]:
        return image
    moved = image.transform(
        image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR
    )
    result = image.copy()
    result.paste(moved.crop(known), known)
    return result


def _spot(size: tuple[int, int], at: tuple[float, float], spread: float) -> np.ndarray:
    scale = max(spread * min(size), 0.5)
    x, y = (
        np.exp(-(((np.arange(side, dtype=np.float32) + 0.5 - place * side) / scale) ** 2) / 2)
        for side, place in zip(size, at, strict=True)
    )
    return np.outer(y, x).astype(np.float32)


def _grain(size: tuple[int, int], seed: int) -> np.ndarray:
    """Unit noise, float32 (height, width, 3), of a grain in proportion to the picture."""
    scale = min(1.0, _GRAIN_SIDE / min(size))
    width, height = (max(1, round(side * scale)) for side in size)
    noise = np.random.default_rng(seed).standard_normal((height, width, 3), dtype=np.float32)
    if scale == 1.0:
        return noise
    steps = Image.fromarray(np.clip(128 + 32 * noise, 0, 255).astype(np.uint8))
    larger = np.asarray(steps.resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
    larger -= 128
    larger /= 32
    return larger
