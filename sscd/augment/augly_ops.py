"""AugLy behind functions of explicit parameters: text, emoji, JPEG.

AugLy needs libmagic, which `pylibmagic` carries and makes findable when it is imported first. Both
are imported inside the functions, so that the package imports where they are absent.
"""

import contextlib
import functools
import pickle
import unicodedata
from pathlib import Path
from types import ModuleType

from PIL import Image

from sscd.errors import UserError


def overlay_text(
    image: Image.Image,
    *,
    font: str,
    characters: tuple[int, ...],
    size: float,
    opacity: float,
    color: tuple[int, int, int],
    x: float,
    y: float,
) -> Image.Image:
    """Write characters over a picture.

    AugLy drops the alpha channel of its text when the picture has none, so that every text comes
    out opaque; here it draws opaque text, and the result is blended with the picture.

    Args:
        image: RGB picture.
        font: One of `font_names()`.
        characters: Indices into the font's list of printable characters, modulo its length.
        size: Height of the letters over the short side, in (0, 1].
        opacity: 0 leaves the picture as it is, 1 is opaque.
        color: RGB, 0 to 255.
        x: Left end of the text over the picture's width, in [0, 1].
        y: Top of the text over the picture's height, in [0, 1].

    Returns:
        A new RGB picture of the same size.
    """
    printable = _printable(font)
    # FreeType refuses size 0, which AugLy would ask for on a thumbnail.
    size = min(1.0, max(size, 1.01 / min(image.size)))
    written: Image.Image = _augly().overlay_text(
        image,
        text=[printable[index % len(printable)] for index in characters],
        font_file=str(_assets("fonts") / font),
        font_size=size,
        opacity=1.0,
        color=color,
        x_pos=x,
        y_pos=y,
    )
    return written if opacity >= 1 else Image.blend(image, written, opacity)


def overlay_emoji(
    image: Image.Image, *, emoji: str, size: float, opacity: float, x: float, y: float
) -> Image.Image:
    """Lay an emoji over a picture.

    Args:
        image: RGB picture.
        emoji: One of `emoji_names()`.
        size: Height of the emoji over the picture's height, in (0, 1].
        opacity: 0 is invisible, 1 opaque.
        x: Left edge of the emoji over the picture's width, in [0, 1].
        y: Top edge of the emoji over the picture's height, in [0, 1].

    Returns:
        A new RGB picture of the same size.
    """
    overlaid: Image.Image = _augly().overlay_image(
        image, overlay=_emoji(emoji), opacity=opacity, overlay_size=size, x_pos=x, y_pos=y
    )
    return overlaid


def encode_jpeg(image: Image.Image, *, quality: int) -> Image.Image:
    """Encode a picture as a JPEG of `quality` (0 to 100, 4:2:0) and decode it."""
    encoded: Image.Image = _augly().encoding_quality(image, quality=quality)
    return encoded


@functools.cache
def font_names() -> tuple[str, ...]:
    """Names of AugLy's fonts, sorted."""
    return tuple(sorted(path.name for path in _assets("fonts").glob("*.ttf")))


@functools.cache
def emoji_names() -> tuple[str, ...]:
    """Names of AugLy's emoji as `category/name.png`, sorted."""
    root = _assets("twemojis")
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.glob("*/*.png")))


@functools.cache
def _printable(font: str) -> tuple[int, ...]:
    """Indices of a font's characters without controls and separators, on which layout fails."""
    with (_assets("fonts") / font).with_suffix(".pkl").open("rb") as file:
        codes: list[int] = pickle.load(file)
    unprintable = ("Cc", "Cs", "Zl", "Zp")
    return tuple(i for i, c in enumerate(codes) if unicodedata.category(chr(c)) not in unprintable)


@functools.cache
def _emoji(name: str) -> Image.Image:
    with Image.open(_assets("twemojis") / name) as image:
        return image.convert("RGBA")


@functools.cache
def _assets(kind: str) -> Path:
    _augly()
    import augly

    return Path(augly.__file__).parent / "assets" / kind


@functools.cache
def _augly() -> ModuleType:
    with contextlib.suppress(ImportError):  # without it, the system may have libmagic
        import pylibmagic  # noqa: F401
    try:
        import augly.image
    except ImportError as error:
        raise UserError(
            f"AugLy cannot be imported ({error}); run: pip install augly pylibmagic"
        ) from error
    module: ModuleType = augly.image
    return module
