"""AugLy's fonts, emoji and templates: their names, and the files read once a process."""

import functools
import importlib.util
import pickle
import unicodedata
from pathlib import Path
from typing import Literal

from PIL import Image

from sscd.errors import UserError


@functools.cache
def font_names() -> tuple[str, ...]:
    """Names of AugLy's fonts, sorted."""
    return tuple(sorted(path.name for path in asset_folder("fonts").glob("*.ttf")))


def font_path(font: str) -> Path:
    """The file of one of `font_names()`."""
    return asset_folder("fonts") / font


@functools.cache
def printable_indices(font: str) -> tuple[int, ...]:
    """Indices into AugLy's list of a font's characters, without those on which layout fails.

    These are controls and separators.
    """
    unprintable = ("Cc", "Cs", "Zl", "Zp")
    codes = _codes(font)
    return tuple(i for i, c in enumerate(codes) if unicodedata.category(chr(c)) not in unprintable)


def text_of(font: str, characters: tuple[int, ...]) -> str:
    """The line that indices into the printable characters, modulo their number, stand for."""
    codes, printable = _codes(font), printable_indices(font)
    return "".join(chr(codes[printable[index % len(printable)]]) for index in characters)


@functools.cache
def emoji_names() -> tuple[str, ...]:
    """Names of AugLy's emoji as `category/name.png`, sorted."""
    root = asset_folder("twemojis")
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.glob("*/*.png")))


@functools.cache
def emoji_picture(name: str) -> Image.Image:
    """One of `emoji_names()`, RGBA; not to be changed."""
    with Image.open(asset_folder("twemojis") / name) as image:
        return image.convert("RGBA")


@functools.cache
def _codes(font: str) -> list[int]:
    with font_path(font).with_suffix(".pkl").open("rb") as file:
        codes: list[int] = pickle.load(file)
    return codes


@functools.cache
def asset_folder(kind: Literal["fonts", "twemojis", "screenshot_templates"]) -> Path:
    """The folder of AugLy's assets of a kind, found without importing AugLy.

    Raises:
        UserError: AugLy is not installed.
    """
    package = importlib.util.find_spec("augly")
    if package is None or package.origin is None:
        raise UserError("AugLy is not installed; run: pip install 'sscd[train]'")
    return Path(package.origin).parent / "assets" / kind
