"""Descriptors that need no training: the figures any trained one stands beside."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.baselines.picture_describer import PictureDescriber
from sscd.data.descriptors import Descriptors
from sscd.data.perceptual_hash import perceptual_hash
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog

SimpleDescriptor = Callable[[Image.Image], NDArray[np.float32]]


def perceptual_hash_descriptor(image: Image.Image) -> NDArray[np.float32]:
    """Return the 64 bits of the perceptual hash as (64,) float32 of ±1/8.

    Its length is 1, and the squared L2 distance of two is their Hamming distance / 16: the same
    order.
    """
    value = int(perceptual_hash(image))
    bits = np.array([value >> bit & 1 for bit in range(64)], dtype=np.float32)
    return (bits * 2 - 1) / np.float32(8)


def thumbnail_descriptor(image: Image.Image, *, side: int = 16) -> NDArray[np.float32]:
    """Return a grey thumbnail, its mean removed, as (side²,) float32 of length 1.

    A picture of one grey has no contrast to normalise: it gets the constant unit vector, which
    equals that of every other such picture and is orthogonal to all the rest.

    Raises:
        ValueError: `side` is not positive.
    """
    if side < 1:
        raise ValueError(f"got side {side}; expected at least 1")
    small = image.convert("L").resize((side, side), Image.Resampling.BILINEAR)
    grey = np.asarray(small, dtype=np.float64).ravel()
    centred = grey - grey.mean()
    length = np.linalg.norm(centred)
    if length == 0:
        return np.full(side * side, 1 / side, dtype=np.float32)
    result: NDArray[np.float32] = (centred / length).astype(np.float32)
    return result


def describe_simply(
    images: Pictures, function: SimpleDescriptor, *, workers: int, skipped: SkipLog | None = None
) -> Descriptors:
    """Describe a set in worker processes; unreadable pictures are left out.

    Args:
        images: What to describe.
        function: A module-level function, picture → (D,).
        workers: Processes.
        skipped: Where unreadable pictures are noted.

    Raises:
        UserError: No picture can be read.
    """
    log = SkipLog() if skipped is None else skipped
    return PictureDescriber(function, _as_they_are, workers=workers, skipped=log)(images)


def _as_they_are(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows


SIMPLE_DESCRIPTORS: Mapping[str, SimpleDescriptor] = {
    "perceptual hash": perceptual_hash_descriptor,
    "16×16 grey thumbnail": thumbnail_descriptor,
}
"""Name → function of every descriptor here, for tables."""
