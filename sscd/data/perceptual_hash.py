"""The 64-bit perceptual hash of a picture (pHash: low frequencies of a small cosine transform)."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.hash_cache import HashCache, stamp_files
from sscd.data.parallel import parallel_map
from sscd.data.records import ImageSet

SMALLEST_SIDE = 32
"""Short side, in pixels, below which a picture counts as blank."""

_SIDE = 32
_EVEN = 2.0  # standard deviation of grey levels, of 255
_LOW = 8
# What mirroring does to the columns of the transform.
_MIRROR = (-1.0) ** np.arange(_LOW)
# JPEG files are decoded no larger than needed: four pixels to one of the 32x32 grid.
_DRAFT = 4 * _SIDE


@dataclass(frozen=True, eq=False)
class ImageHashes:
    """The hashes of an image set.

    Attributes:
        hashes: (n,) uint64; 0 where a picture could not be read.
        mirrored: (n,) uint64, the hashes of the mirror images; 0 where it could not be read.
        blank: (n,) whether a picture is too small or too even to be told from another: its short
            side is under `SMALLEST_SIDE` pixels, or its grey levels hardly vary.
        readable: (n,) whether the picture could be read.
        failures: (path, reason) of every picture that could not be read.
    """

    hashes: NDArray[np.uint64]
    mirrored: NDArray[np.uint64]
    blank: NDArray[np.bool_]
    readable: NDArray[np.bool_]
    failures: tuple[tuple[Path, str], ...]


def perceptual_hash(image: Image.Image) -> np.uint64:
    """Hash a picture so that small edits change few of the 64 bits.

    The picture in grey is resized to 32x32 (Lanczos) and cosine-transformed; a bit says whether
    one of the 8x8 lowest frequencies, the mean among them, is above their median. Bits run row by
    row from the highest. Equal to `phash` of the library imagehash.
    """
    return _above_median(_low_frequencies(image))


def perceptual_hashes(image: Image.Image) -> tuple[np.uint64, np.uint64]:
    """The perceptual hash of a picture, and that of its mirror image (left and right exchanged).

    The cosine transform of the mirrored 32x32 grid is that of the grid with the signs of the odd
    horizontal frequencies changed, so the second hash takes no second transform.
    """
    low = _low_frequencies(image)
    return _above_median(low), _above_median(low * _MIRROR)


def hash_images(
    images: ImageSet, *, workers: int, cache: Path | None = None, description: str = "hashing"
) -> ImageHashes:
    """Hash every picture of a set.

    Args:
        images: The pictures.
        workers: How many processes work on it.
        cache: A directory that remembers hashes by relative path, size and time of change, so that
            only new and changed pictures are decoded. What is done when an error or Ctrl-C ends
            the work is remembered too.
        description: What the progress bar says.

    Raises:
        UserError: The cache cannot be written.
    """
    stamps = stamp_files(images)
    known = HashCache.open(cache, root=images.root) if cache is not None else HashCache.empty()
    hashes, mirrored, blank, reasons = known.look_up(stamps)
    missing = [i for i, reason in enumerate(reasons) if reason is None]
    paths = [images.path(i) for i in missing]
    results = parallel_map(_hash_file, paths, workers=workers, description=description)
    try:
        for index, result in zip(missing, results if missing else (), strict=True):
            hashes[index], mirrored[index], blank[index], reasons[index] = result
    finally:
        if missing and cache is not None:
            known.save(stamps, hashes=hashes, mirrored=mirrored, blank=blank, reasons=reasons)
    readable = np.array([reason == "" for reason in reasons], dtype=bool)
    failures = tuple((images.path(i), reasons[i] or "") for i in np.flatnonzero(~readable).tolist())
    return ImageHashes(
        hashes=hashes, mirrored=mirrored, blank=blank, readable=readable, failures=failures
    )


def _hash_file(path: Path) -> tuple[np.uint64, np.uint64, bool, str]:
    try:
        image = load_image(path, draft=_DRAFT)
    except UnreadableImage as error:
        return np.uint64(0), np.uint64(0), False, error.reason
    blank = min(image.size) < SMALLEST_SIDE or np.asarray(image.convert("L")).std() < _EVEN
    return *perceptual_hashes(image), bool(blank), ""


def _low_frequencies(image: Image.Image) -> NDArray[np.float64]:
    """The (8, 8) lowest frequencies, vertical by horizontal."""
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    cosines = _cosines()
    low = cosines @ np.asarray(grey, dtype=np.float64) @ cosines.T
    return np.round(low, 6)  # what is 0 in exact arithmetic must not be decided by rounding errors


def _above_median(low: NDArray[np.float64]) -> np.uint64:
    bits = np.packbits(low.ravel() > np.median(low))
    return np.uint64(int.from_bytes(bits.tobytes(), "big"))


@functools.cache
def _cosines() -> NDArray[np.float64]:
    frequency, position = np.arange(_LOW)[:, None], np.arange(_SIDE)[None, :]
    return 2 * np.cos(np.pi * frequency * (2 * position + 1) / (2 * _SIDE))
