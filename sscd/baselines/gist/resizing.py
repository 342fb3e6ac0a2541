"""The small picture that GIST describes."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 32
_LONGEST = 64  # times the shorter side; beyond it only what is kept is resized


def crop_for_gist(image: Image.Image) -> NDArray[np.uint8]:
    """Resize the shorter side to 32 pixels and cut out the middle, as (32, 32, 3) uint8.

    Resizing is Pillow's bilinear one, which widens its kernel where it shrinks; the longer side is
    rounded down.

    Args:
        image: A picture of mode RGB.
    """
    width, height = image.size
    shorter = min(width, height)
    wide, high = width * _SIDE // shorter, height * _SIDE // shorter
    left, top = (wide - _SIDE) // 2, (high - _SIDE) // 2
    kept = (left, top, left + _SIDE, top + _SIDE)
    if max(width, height) > _LONGEST * shorter:  # resized whole, a line of pixels fills the memory
        x, y = width / wide, height / high
        box = (kept[0] * x, kept[1] * y, kept[2] * x, kept[3] * y)
        small = image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=box)
    else:
        small = image.resize((wide, high), Image.Resampling.BILINEAR).crop(kept)
    return np.asarray(small)
