"""Text and emoji laid over a part of a picture: AugLy's result, within that part only.

AugLy opens the font, converts the whole picture and copies it for each overlay. Here fonts and
emoji are kept, and only pixels of the part that lie under the letters or the emoji are blended;
`tests/augment/test_composite.py` holds the result to that of `augly.ops`.
"""

import functools

from PIL import Image, ImageDraw, ImageFont

from sscd.augment.augly import assets
from sscd.augment.operations import Color

Point = tuple[int, int]
Size = tuple[int, int]


def paste_text(
    part: Image.Image,
    *,
    whole: Size,
    origin: Point,
    font: str,
    characters: tuple[int, ...],
    size: float,
    opacity: float,
    color: Color,
    x: float,
    y: float,
) -> Image.Image:
    """What `augly.ops.overlay_text` gives on a whole picture, for a part of it.

    Args:
        part: RGB, the part.
        whole: Width and height of the whole picture in pixels.
        origin: Where the part's top left corner lies in the whole, in pixels.
        font: One of `assets.font_names()`.
        characters: Indices into the font's list of printable characters, modulo its length.
        size: Height of the letters over the short side of the whole.
        opacity: 0 to 1.
        color: RGB, 0 to 255.
        x: Left end of the text over the width of the whole.
        y: Top of the text over its height.

    Returns:
        A new RGB picture of the part's size; the part itself where the text does not reach it.
    """
    height = max(1, int(min(whole) * size))  # FreeType refuses 0
    at = (x * whole[0], y * whole[1])
    mask = _line(part.size, origin, assets.text_of(font, characters), _font(font, height), at)
    area = mask.getbbox()
    if area is None:
        return part
    under = part.crop(area)
    written = under.copy()
    written.paste(color, (0, 0), mask.crop(area))
    drawn = part.copy()
    drawn.paste(written if opacity >= 1 else Image.blend(under, written, opacity), area[:2])
    return drawn


def paste_emoji(
    part: Image.Image,
    *,
    whole: Size,
    origin: Point,
    emoji: str,
    size: float,
    opacity: float,
    x: float,
    y: float,
) -> Image.Image:
    """What `augly.ops.overlay_emoji` gives on a whole picture, for a part of it.

    Args:
        part: RGB, the part.
        whole: Width and height of the whole picture in pixels.
        origin: Where the part's top left corner lies in the whole, in pixels.
        emoji: One of `assets.emoji_names()`.
        size: Height of the emoji over that of the whole.
        opacity: 0 to 1.
        x: Left edge of the emoji over the width of the whole.
        y: Top edge of the emoji over its height.

    Returns:
        A new RGB picture of the part's size; the part itself where the emoji does not reach it.
    """
    picture = assets.emoji_picture(emoji)
    height = max(1, int(whole[1] * size))
    width = int(picture.width * height / picture.height)
    left, top = int(whole[0] * x) - origin[0], int(whole[1] * y) - origin[1]
    area = _meeting(part, (left, top, left + width, top + height))
    if area is None:
        return part
    overlay = picture.resize((width, height))
    mask = overlay.getchannel("A").point([int(level * opacity) for level in range(256)])
    inside = (area[0] - left, area[1] - top, area[2] - left, area[3] - top)
    drawn = part.copy()
    drawn.paste(overlay.convert("RGB").crop(inside), area[:2], mask.crop(inside))
    return drawn


def _line(
    size: Size, origin: Point, text: str, font: ImageFont.FreeTypeFont, at: tuple[float, float]
) -> Image.Image:
    """The opacity of a line of text that begins at `at` in the whole, over a part of it.

    Letters are drawn at fractions of a pixel, which Pillow gets wrong left of and above a canvas:
    the canvas therefore begins where the text or the part does, whichever comes first.
    """
    corner = (min(origin[0], int(at[0])), min(origin[1], int(at[1])))
    ahead = (origin[0] - corner[0], origin[1] - corner[1])
    canvas = Image.new("L", (size[0] + ahead[0], size[1] + ahead[1]), 0)
    start = (at[0] - corner[0], at[1] - corner[1])
    ImageDraw.Draw(canvas).text(start, text, fill=255, font=font)
    return canvas.crop((*ahead, *canvas.size)) if any(ahead) else canvas


def _meeting(part: Image.Image, box: tuple[int, int, int, int]) -> tuple[int, int, int, int] | None:
    """The box within the part, or None where they do not meet."""
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], part.width), min(box[3], part.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


@functools.lru_cache(maxsize=128)
def _font(name: str, height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(assets.font_path(name)), height)
