"""Pictures drawn from a seed: rich enough to train on, no two alike.

Baradad et al., "Learning to See by Looking at Noise" (NeurIPS 2021, arXiv 2106.05963), find that
dead leaves (overlapping shapes with a power law of sizes) and noise with natural spectra carry
contrastive training a good way. A picture here is a background of noise, gradient or pattern, then
layers of leaves with textures of their own, thin strokes and glyphs, then light and grain.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont

from sscd.data.textures import draw_texture

Bytes = NDArray[np.uint8]


_GLYPHS = "ABCDEFGHJKLMNPQRSTUVWXYZabdefghkmnpqrt2345678&@#%?!+"


def draw_picture(*, seed: int, index: int, size: int) -> Image.Image:
    """Draw picture `index` of the collection `seed`.

    Args:
        seed: Names the collection.
        index: Number of the picture in the collection.
        size: Side in pixels.

    Returns:
        RGB picture of (size, size), the same for the same arguments.

    Raises:
        ValueError: `size` is below 8, or `seed` or `index` is negative.

    >>> draw_picture(seed=0, index=7, size=64).size
    (64, 64)
    """
    if size < 8:
        raise ValueError(f"size got {size}; expected at least 8")
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index got {seed} and {index}; expected none below 0")
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    palette = _palette(rng)
    textures = [
        draw_texture(rng, size=size, palette=palette) for _ in range(int(rng.integers(2, 5)))
    ]
    canvas = textures[0].copy()
    _draw_leaves(canvas, rng, textures=textures, palette=palette)
    for _ in range(int(rng.integers(0, 3))):
        _draw_strokes(canvas, rng, palette=palette)
    if rng.random() < 0.5:
        _draw_glyphs(canvas, rng, palette=palette)
    return _light(canvas, rng)


def _palette(rng: np.random.Generator) -> Bytes:
    """Draw 4 to 8 colours around a few base colours: (n, 3)."""
    bases = rng.random((int(rng.integers(1, 4)), 3))
    count = int(rng.integers(4, 9))
    colors = bases[rng.integers(0, len(bases), count)]
    colors = colors * rng.uniform(0.25, 1.5, (count, 1)) + rng.normal(0, 0.12, (count, 3))
    greys = colors.mean(axis=1, keepdims=True)
    colors = greys + (colors - greys) * rng.uniform(0.2, 1)  # most of nature is not saturated
    return np.asarray(np.clip(colors, 0, 1) * 255, dtype=np.uint8)


def _draw_leaves(
    canvas: Image.Image,
    rng: np.random.Generator,
    *,
    textures: list[Image.Image],
    palette: Bytes,
) -> None:
    """Cover the canvas with overlapping shapes whose radii follow a power law."""
    size = canvas.width
    count = int(np.exp(rng.uniform(math.log(12), math.log(120))))
    smallest, largest = 0.02, float(rng.uniform(0.15, 0.45))
    # Inverse of the distribution with density r**-exponent on [smallest, largest].
    power = 1 - float(rng.uniform(1.5, 3.0))
    low, high = smallest**power, largest**power
    radii = (low + (high - low) * rng.random(count)) ** (1 / power)
    subjects = 2 + count // 12  # something large to see, never only confetti
    radii[:subjects] = rng.uniform(0.12, 0.4, subjects)
    style = _LeafStyle(
        corners=int(rng.integers(3, 9)),
        round_share=float(rng.random()),
        flat_share=float(rng.uniform(0.1, 0.7)),
        spikiness=float(rng.uniform(0, 0.6)),
    )
    for radius, center in zip(radii.tolist(), rng.random((count, 2)).tolist(), strict=True):
        _draw_leaf(
            canvas,
            rng,
            (center[0] * size, center[1] * size),
            radius * size,
            style,
            textures=textures,
            palette=palette,
        )


@dataclass(frozen=True)
class _LeafStyle:
    """What the leaves of one picture have in common."""

    corners: int
    round_share: float
    flat_share: float
    spikiness: float


def _draw_leaf(
    canvas: Image.Image,
    rng: np.random.Generator,
    center: tuple[float, float],
    radius: float,
    style: _LeafStyle,
    *,
    textures: list[Image.Image],
    palette: Bytes,
) -> None:
    """Draw one shape, flat or textured, with smooth edges: its mask is drawn twice as large."""
    side = max(2, math.ceil(2 * radius))
    mask = Image.new("L", (2 * side, 2 * side))
    draw = ImageDraw.Draw(mask)
    if rng.random() < style.round_share:
        squeeze = float(rng.uniform(0, 0.35)) * 2 * side
        draw.ellipse((0, squeeze, 2 * side - 1, 2 * side - 1 - squeeze), fill=255)
    else:
        draw.polygon(_outline(rng, style, radius=float(side)), fill=255)
    if rng.random() < 0.15:  # a ring
        inner = side * float(rng.uniform(0.3, 0.7))
        draw.ellipse((side - inner, side - inner, side + inner, side + inner), fill=0)
    mask = mask.reduce(2)
    x, y = round(center[0] - side / 2), round(center[1] - side / 2)
    if rng.random() < style.flat_share:
        canvas.paste(_pick(rng, palette), (x, y, x + side, y + side), mask)
        return
    texture = textures[int(rng.integers(len(textures)))]
    left, top = (int(v) for v in rng.integers(0, max(1, canvas.width - side), 2))
    patch = texture.crop((left, top, left + side, top + side))
    if rng.random() < 0.5:
        patch = patch.transpose(Image.Transpose(int(rng.integers(7))))
    canvas.paste(patch, (x, y), mask)


def _outline(
    rng: np.random.Generator, style: _LeafStyle, *, radius: float
) -> list[tuple[float, float]]:
    """Draw a polygon around (radius, radius): regular, stretched or star-like."""
    corners = style.corners if rng.random() < 0.7 else int(rng.integers(3, 12))
    angles = np.sort(
        np.arange(corners) / corners + rng.uniform(-0.3, 0.3, corners) / corners
    ) * 2 * math.pi + float(rng.uniform(0, 2 * math.pi))
    reach = radius * (1 - style.spikiness * rng.random(corners))
    x, y = radius + reach * np.cos(angles), radius + reach * np.sin(angles)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _draw_strokes(canvas: Image.Image, rng: np.random.Generator, *, palette: Bytes) -> None:
    """Draw a bundle of lines or arcs: wires, branches, fences."""
    draw = ImageDraw.Draw(canvas)
    size = canvas.width
    color, width = _pick(rng, palette), max(1, round(size * float(rng.uniform(0.005, 0.025))))
    points = rng.uniform(-0.1, 1.1, (int(rng.integers(2, 7)), 2)) * size
    step = rng.uniform(-0.12, 0.12, 2) * size
    for number in range(int(rng.integers(1, 6))):
        moved = (points + number * step).ravel().tolist()
        draw.line(moved, fill=color, width=width, joint="curve")


def _draw_glyphs(canvas: Image.Image, rng: np.random.Generator, *, palette: Bytes) -> None:
    """Write one to three short words."""
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 4))):
        letters = rng.integers(0, len(_GLYPHS), int(rng.integers(1, 7))).tolist()
        font = _font(max(6, round(canvas.width * float(rng.choice((0.1, 0.15, 0.22, 0.35))))))
        x, y = (rng.uniform(-0.05, 0.8, 2) * canvas.width).tolist()
        draw.text((x, y), "".join(_GLYPHS[i] for i in letters), fill=_pick(rng, palette), font=font)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _pick(rng: np.random.Generator, palette: Bytes) -> tuple[int, int, int]:
    red, green, blue = palette[int(rng.integers(len(palette)))].tolist()
    return red, green, blue


def _light(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Shade the picture smoothly and add a little grain, as a lens and a sensor do."""
    size = canvas.width
    corners = Image.fromarray(rng.integers(120, 256, (3, 3), dtype=np.uint8))
    shade = corners.resize((size, size), Image.Resampling.BICUBIC)
    shaded = ImageChops.multiply(canvas, Image.merge("RGB", (shade, shade, shade)))
    grain = rng.integers(0, int(rng.integers(2, 20)), (size, size), dtype=np.uint8)
    noise = Image.fromarray(grain)
    return ImageChops.add(shaded, Image.merge("RGB", (noise, noise, noise)))
