"""Four of AugLy's operations that its release (1.0.0) cannot do, with AugLy's meaning.

`meme_format` and `perspective_transform` raise on today's Pillow and NumPy; `legofy` and `collage`,
which DISC21's second phase used, are in no release. A test fails as soon as AugLy itself is able.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from sscd.augment.augly.assets import asset_folder
from sscd.augment.operations import Box, Color

Corners = tuple[tuple[float, float], ...]


def meme_format(
    image: Image.Image,
    *,
    text: str,
    font: str,
    caption_height: int,
    text_color: Color,
    background: Color,
) -> Image.Image:
    """Put a caption above a picture, as on a meme.

    Mended: AugLy measures the text by a method that Pillow no longer has, and shrinks the letters
    without end where they cannot fit. Here no text is written when even the smallest does not.

    Args:
        image: RGB picture.
        text: One or more lines, centred, as large as they fit.
        font: One of `assets.font_names()`.
        caption_height: Pixels.
        text_color: RGB, 0 to 255.
        background: Colour of the caption's box.

    Returns:
        A picture as wide and `caption_height` higher.
    """
    meme = Image.new("RGB", (image.width, image.height + caption_height), background)
    meme.paste(image, (0, caption_height))
    draw = ImageDraw.Draw(meme)
    margin = 0.12 * caption_height
    # The width of a text grows in proportion to its size: one measurement tells what fits.
    probe = draw.multiline_textbbox((0, 0), text, font=_font(font, 100), align="center")
    room = (image.width - 2 * margin, caption_height - 2 * margin)
    size = 100 * min(room[0] / max(probe[2] - probe[0], 1), room[1] / max(probe[3] - probe[1], 1))
    if size >= 1:
        letters = _font(font, math.floor(size))
        left, top, right, bottom = draw.multiline_textbbox(
            (0, 0), text, font=letters, align="center"
        )
        x = (image.width - right - left) / 2
        y = (caption_height - bottom - top) / 2
        draw.multiline_text((x, y), text, font=letters, fill=text_color, align="center")
    return meme


def perspective_transform(
    image: Image.Image, *, corners: Corners, fill: Color | int
) -> Image.Image:
    """Look at a picture from aside: its corners go where they are told, on a canvas of its size.

    Mended: AugLy computes with a type that NumPy no longer has, draws the corners by itself, and
    from corners that cross over it makes pictures inside out.

    Args:
        image: RGB (bicubic), or mode I (nearest neighbour).
        corners: Where top left, top right, bottom right and bottom left go, (x, y) in pixels. What
            comes to lie outside the canvas is cut.
        fill: What is seen beside the picture.

    Raises:
        ValueError: The corners are not those of a convex quadrilateral in this order.
    """
    if not _is_convex(corners):
        raise ValueError(f"corners got {corners}; expected a convex quadrilateral")
    width, height = image.size
    rows, targets = [], []
    sources = ((0, 0), (width, 0), (width, height), (0, height))
    for (x, y), (u, v) in zip(corners, sources, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    coefficients = np.linalg.solve(np.array(rows, dtype=float), np.array(targets, dtype=float))
    method = Image.Resampling.NEAREST if image.mode == "I" else Image.Resampling.BICUBIC
    return image.transform(
        image.size, Image.Transform.PERSPECTIVE, coefficients.tolist(), method, fillcolor=fill
    )


def legofy(image: Image.Image, *, brick: int) -> Image.Image:
    """Build a picture of square bricks of their average colour, each with a stud on it.

    Args:
        image: RGB picture.
        brick: Side of a brick, pixels, at least 1. Bricks are stretched a little where they would
            not fill the picture.

    Returns:
        A picture of the same size.
    """
    columns, rows = (max(1, round(side / brick)) for side in image.size)
    mosaic = image.resize((columns, rows), Image.Resampling.BOX)
    bricks = mosaic.resize((columns * brick, rows * brick), Image.Resampling.NEAREST)
    light = np.tile(_stud(brick), (rows, columns))[:, :, None]
    built = np.clip(np.asarray(bricks, dtype=np.float32) * light, 0, 255)
    picture = Image.fromarray(np.rint(built).astype(np.uint8))
    return picture if picture.size == image.size else picture.resize(image.size)


def collage(
    size: tuple[int, int], pictures: Sequence[Image.Image], boxes: Sequence[Box], *, gap: Color
) -> Image.Image:
    """Lay pictures side by side, each cut to its box's shape around its middle.

    Args:
        size: Width and height of the collage.
        pictures: RGB.
        boxes: (left, top, right, bottom) of each.
        gap: Colour between and around them.
    """
    canvas = Image.new("RGB", size, gap)
    for picture, (left, top, right, bottom) in zip(pictures, boxes, strict=True):
        canvas.paste(ImageOps.fit(picture, (right - left, bottom - top)), (left, top))
    return canvas


@functools.lru_cache(maxsize=64)
def _stud(side: int) -> np.ndarray:
    """Brightness of a brick of `side`×`side` pixels, 1 where its own colour is seen; float32.

    Light falls from the top left: the stud's edge is bright there and throws a shadow opposite.
    """
    fine = 8  # drawn finer and averaged, so that small bricks have no jagged studs
    places = (np.arange(side * fine) + 0.5) / (side * fine) - 0.5
    x, y = places[None, :], places[:, None]
    radius = np.hypot(x, y)
    towards_light = -(x + y) / (np.sqrt(2) * np.maximum(radius, 1e-6))
    light = np.where(radius < 0.24, 1.06, 1.0)
    light = np.where((radius >= 0.24) & (radius < 0.32), 1.0 + 0.45 * towards_light, light)
    shadow = (np.hypot(x - 0.05, y - 0.05) < 0.34) & (radius >= 0.32)
    light = np.where(shadow, 0.72, light)
    seam = np.maximum(np.abs(x), np.abs(y)) > 0.5 - 0.5 / max(side, 10)
    light = np.where(seam, 0.7, light)
    averaged: np.ndarray = light.reshape(side, fine, side, fine).mean((1, 3), dtype=np.float32)
    return averaged


def _is_convex(corners: Corners) -> bool:
    if len(corners) != 4:
        return False
    turns = []
    for i in range(4):
        (ax, ay), (bx, by), (cx, cy) = (corners[(i + k) % 4] for k in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    return all(turn > 0 for turn in turns)


@functools.lru_cache(maxsize=64)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(asset_folder("fonts") / name), size)
