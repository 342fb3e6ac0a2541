"""Lines drawn by hand: smooth paths, the ink they leave, and ink laid over a picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.opencv import opencv
from sscd.augment.operations import Color

Path = np.ndarray
"""Points (n, 2) in pixels, x to the right and y downwards."""

_INKS: tuple[Color, ...] = (
    (15, 15, 20),
    (250, 250, 250),
    (220, 30, 35),
    (30, 60, 190),
    (20, 130, 60),
    (250, 215, 30),
)
_FRACTION_BITS = 4


def draw_ink(rng: np.random.Generator) -> Color:
    """Draw a pen's colour: half of the time an ordinary pen's, else any colour."""
    if rng.random() < 0.5:
        return _INKS[int(rng.integers(len(_INKS)))]
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def smooth_path(points: np.ndarray, *, steps: int = 6) -> Path:
    """Lay a uniform Catmull-Rom spline through points.

    Args:
        points: (n, 2), n ≥ 2.
        steps: Pieces between two points.

    Returns:
        ((n − 1)·steps + 1, 2); every `steps`-th row is one of the points.
    """
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, here, there, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    curve = here[:, None] + 0.5 * t * (
        (there - before)[:, None]
        + t * (2 * before - 5 * here + 4 * there - after)[:, None]
        + t * t * (3 * (here - there) + after - before)[:, None]
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def ellipse_path(
    rng: np.random.Generator,
    *,
    center: tuple[float, float],
    radii: tuple[float, float],
    turns: float,
    wobble: float,
) -> Path:
    """Draw an ellipse as a hand does: it wobbles, drifts, and its end misses its beginning.

    Args:
        rng: Source of randomness.
        center: (x, y), pixels.
        radii: Along x and y, pixels.
        turns: How often the pen goes round.
        wobble: Standard deviation of the radius over the radius.
    """
    knots = max(5, round(9 * turns))
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi * turns, knots)
    drift = np.linspace(0, rng.uniform(-1, 1) * wobble, knots)
    radius = 1 + wobble * rng.standard_normal(knots) + drift
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]
    return smooth_path(points * np.array(radii) + np.array(center), steps=10)


def ink_mask(size: tuple[int, int], paths: Sequence[Path], *, width: float) -> Image.Image:
    """Draw paths with a round pen.

    Args:
        size: (width, height) of the mask, pixels.
        paths: What the pen follows; it may leave the picture.
        width: The pen's, pixels; below 1 the line is paler instead.

    Returns:
        Mode L, 255 where a pixel is all ink.
    """
    cv2 = opencv()

    finer = 4 if min(size) < 400 else 2
    mask = np.zeros((size[1] * finer, size[0] * finer), np.uint8)
    # Whole pixels of a finer grid are centred half a pixel from its corner.
    scaled = [(path * finer - 0.5) * (1 << _FRACTION_BITS) for path in paths]
    lines = [np.round(path).astype(np.int32).reshape(-1, 1, 2) for path in scaled]
    thickness = max(1, round(width * finer))
    cv2.polylines(mask, lines, False, 255, thickness, cv2.LINE_8, _FRACTION_BITS)
    ink = Image.fromarray(mask).reduce(finer)
    return ink.point([round(level * min(1.0, width * finer)) for level in range(256)])


def lay_ink(canvas: Canvas, mask: Image.Image, *, color: Color, opacity: float) -> Canvas:
    """Cover a canvas with ink of one colour where a mask says so.

    Args:
        canvas: What is drawn on.
        mask: L, the canvas's size.
        color: RGB.
        opacity: Of the ink, in [0, 1].
    """
    faded = mask.point([round(level * opacity) for level in range(256)])
    image = canvas.image.copy()
    image.paste(color, (0, 0, *image.size), faded)
    return canvas.covered(image, faded)
