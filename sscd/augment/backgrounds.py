"""Plain and drawn backgrounds for copies that are laid onto something."""

import numpy as np
from PIL import Image


def draw_background(
    rng: np.random.Generator, *, width: int, height: int
) -> tuple[Image.Image, dict[str, object]]:
    """Draw one background: one colour, a gradient, clouds, or tiles; a quarter each.

    Args:
        rng: Source of randomness.
        width: Pixels.
        height: Pixels.

    Returns:
        The RGB picture and its description in plain JSON values.
    """
    kind = ("plain", "gradient", "clouds", "tiles")[int(rng.integers(4))]
    columns, rows = {
        "plain": (1, 1),
        "gradient": (2, 2),
        "clouds": tuple(rng.integers(4, 13, 2).tolist()),
        "tiles": tuple(rng.integers(3, 13, 2).tolist()),
    }[kind]
    colors = rng.integers(0, 256, (rows, columns, 3))
    if kind in ("clouds", "tiles"):  # few colours look drawn, not like noise
        palette = rng.integers(0, 256, (int(rng.integers(2, 6)), 3))
        colors = palette[rng.integers(0, len(palette), (rows, columns))]
    smooth = kind in ("gradient", "clouds")
    grid = Image.fromarray(colors.astype(np.uint8))
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return grid.resize((width, height), method), {"kind": kind, "colors": colors.tolist()}
