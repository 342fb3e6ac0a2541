"""Any picture file to an upright RGB picture, or one exception that says why not."""

import contextlib
import functools
import importlib.util
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Twice Pillow's own warning level, where it raises too: 537 MB decoded as RGB.
MAX_PIXELS = 178_956_970

HEIF_EXTENSIONS = (".heic", ".heif")

_REDUCIBLE = ("JPEG", "MPO")  # formats that decode at a reduced DCT scale
_ORIENTATION = 0x0112  # EXIF; from 5 on the picture lies on its side


class UnreadableImage(Exception):  # noqa: N818 - it is expected, counted and carried on from
    """A file that is no picture, or a broken one.

    Attributes:
        path: The file.
        reason: Why, in a few words.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """A picture file whose header has been read.

    Attributes:
        size: Width and height in pixels, upright, as `load()` without a reduction gives it.
        path: The file, for messages.
    """

    size: tuple[int, int]
    path: Path
    _image: Image.Image

    def load(self, *, reduce: int = 1) -> Image.Image:
        """Decode the picture; to be called once.

        Args:
            reduce: Decode JPEG files at the DCT scale 1/1, 1/2, 1/4 or 1/8 that is nearest above
                1/`reduce`. It changes pixels a little and saves most of the time on large
                photographs; other formats are not reduced.

        Returns:
            A loaded picture of mode RGB.

        Raises:
            UnreadableImage: It is truncated or broken.
        """
        with _named_errors(self.path):
            return _load(self._image, reduce=reduce)


@contextlib.contextmanager
def open_image(source: Path | bytes, *, name: str = "") -> Iterator[EncodedImage]:
    """Read the header of a picture, so that what is needed of it is known before it is decoded.

    Args:
        source: A picture file, or the bytes of one.
        name: What bytes are called in messages.

    Raises:
        UnreadableImage: The file is missing, empty, of an unknown format, or has more than
            `MAX_PIXELS` pixels.
    """
    path = source if isinstance(source, Path) else Path(name)
    if source == b"":
        raise UnreadableImage(path, "empty file")
    if path.suffix.lower() in HEIF_EXTENSIONS and heif_available():
        _register_heif()
    with contextlib.ExitStack() as stack:
        with _named_errors(path):
            opened = Image.open(source if isinstance(source, Path) else io.BytesIO(source))
            image = stack.enter_context(opened)
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadableImage(path, _too_large(width * height))
            if image.format not in _REDUCIBLE:
                image.load()  # PNG and TIFF know their orientation after the pixels only
            upright = (height, width) if _is_on_its_side(image) else (width, height)
        yield EncodedImage(size=upright, path=path, _image=image)


def load_image(source: Path | bytes, *, draft: int | None = None, name: str = "") -> Image.Image:
    """Decode the first frame of a picture.

    The EXIF orientation is applied. Transparency is laid over white; 16-bit grey keeps its high
    byte; 32-bit grey beyond 16 bits and floating point are stretched to their own range, except
    floating point within 0..1.

    Args:
        source: A picture file, or the bytes of one.
        draft: Decode JPEG files at the smallest DCT scale (1, 1/2, 1/4, 1/8) whose short side is
            still at least this many whole pixels (see `EncodedImage.load`).
        name: What bytes are called in messages.

    Returns:
        A loaded picture of mode RGB.

    Raises:
        UnreadableImage: The file is missing, empty, truncated, broken, of an unknown format, or
            has more than `MAX_PIXELS` pixels.
    """
    with open_image(source, name=name) as encoded:
        reduce = 1 if draft is None else max(1, min(encoded.size) // max(draft, 1))
        return encoded.load(reduce=reduce)


def upright_rgb(image: Image.Image, *, name: str = "") -> Image.Image:
    """A picture that was opened or made elsewhere, as `load_image` gives those of files.

    Args:
        image: Of any mode; its pixels and metadata are not changed.
        name: What it is called in messages.

    Returns:
        A new picture of mode RGB, upright by the EXIF orientation.

    Raises:
        UnreadableImage: It is truncated or broken, or has more than `MAX_PIXELS` pixels.
    """
    path = Path(name)
    with _named_errors(path):
        if image.width * image.height > MAX_PIXELS:
            raise UnreadableImage(path, _too_large(image.width * image.height))
        image.load()
        upright = image
        with contextlib.suppress(Exception):  # as in `_load`
            upright = ImageOps.exif_transpose(image)
        rgb = _to_rgb(upright)
        rgb.info = {}
        return rgb


def heif_available() -> bool:
    """Whether `pillow_heif` (the extra `heic`) is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def _load(image: Image.Image, *, reduce: int) -> Image.Image:
    scale = next(scale for scale in (8, 4, 2, 1) if scale <= max(reduce, 1))
    if scale > 1 and image.format in _REDUCIBLE:
        image.draft("", (max(1, image.width // scale), max(1, image.height // scale)))
    image.load()
    with contextlib.suppress(Exception):  # broken metadata does not make the picture unreadable
        ImageOps.exif_transpose(image, in_place=True)
    rgb = _to_rgb(image)
    rgb.info = {}  # a profile or orientation of the file must not follow the converted pixels
    return rgb


def _is_on_its_side(image: Image.Image) -> bool:
    with contextlib.suppress(Exception):
        return bool(image.getexif().get(_ORIENTATION, 1) >= 5)
    return False


@contextlib.contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises to `UnreadableImage`, and keep its warnings quiet."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is raised or harmless here
            yield
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise anything on hostile bytes
        raise UnreadableImage(path, _reason(path, error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_to_8_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    pixels = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(pixels.min()), float(pixels.max())
    if values.dtype.kind == "f":
        bottom, top = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    else:
        bottom, top = (0.0, 65535.0) if low >= 0 and high <= 65535 else (low, high)
    return np.rint((pixels - bottom) * (255.0 / max(top - bottom, 1e-12))).astype(np.uint8)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnidentifiedImageError):
        empty = path.is_file() and path.stat().st_size == 0
        return "empty file" if empty else "not a picture of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(None)
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if "truncated" in text.lower():
        return "truncated"
    return " ".join(text.split())[:120] or type(error).__name__


def _too_large(pixels: int | None) -> str:
    count = "" if pixels is None else f"{pixels:,} pixels, "
    return f"{count}more than the limit of {MAX_PIXELS:,} pixels"


@functools.cache
def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
