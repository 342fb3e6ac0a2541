"""Many pictures small: WebP at the largest size at which all of them fit a number of bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.parallel import parallel_map

Source = Path | bytes | str
"""A picture's file or bytes; or why there is none."""

_SAMPLE = 64
_MARGIN = 0.97  # of the budget: a sample's mean is not the mean
_FEW = 150  # pictures below which processes take longer to start than to work


@dataclass(frozen=True)
class Setting:
    """How thumbnails are made.

    Attributes:
        side: Longer side in pixels, at most.
        quality: WebP's, 0 to 100.
    """

    side: int
    quality: int


SETTINGS = tuple(
    Setting(side, quality)
    for side, quality in (
        *((224, 66), (192, 62), (160, 58), (136, 54), (120, 50), (104, 48), (92, 44)),
        *((80, 40), (68, 34), (56, 28), (44, 20), (32, 10)),
    )
)
"""From the finest to the coarsest."""


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures.

    Attributes:
        images: WebP of each source, in order; None where there is none.
        setting: How they were made.
        missing: Why sources have no picture, one reason for each of them.
        left_out: How many more, from the end on, did not fit.
    """

    images: tuple[bytes | None, ...]
    setting: Setting
    missing: tuple[str, ...]
    left_out: int


def encoded_size(image: bytes) -> int:
    """Bytes that a picture takes as quoted base64 in a list."""
    return 4 * ((len(image) + 2) // 3) + 3


def make_thumbnails(sources: Sequence[Source], *, budget: int, workers: int) -> Thumbnails:
    """Shrink pictures so that all of them as base64 fit a budget.

    The setting follows from a sample. Where the whole does not fit, it is shrunk again, by the next
    settings; what does not fit by the last one is left out, from the end on.

    Args:
        sources: The pictures, the most important first.
        budget: Bytes of base64.
        workers: Processes that decode.

    Raises:
        UserError: A worker died.
    """
    rung = _choose(sources, budget)
    work = partial(thumbnail, SETTINGS[rung])
    processes = workers if len(sources) >= _FEW else 0
    found = list(parallel_map(work, sources, workers=processes, description="shrinking pictures"))
    images = [None if isinstance(one, str) else one for one in found]
    while _total(images) > budget and rung + 1 < len(SETTINGS):
        rung += 1
        images = [None if one is None else _smaller(one, SETTINGS[rung]) for one in images]
    kept, left_out = _fitting(images, budget)
    missing = tuple(one for one in found if isinstance(one, str))
    return Thumbnails(kept, SETTINGS[rung], missing, left_out)


def thumbnail(setting: Setting, source: Source) -> bytes | str:
    """Shrink one picture; returns WebP, or why there is none."""
    if isinstance(source, str):
        return source
    try:
        return _encode(load_image(source, draft=setting.side), setting)
    except UnreadableImage as error:
        return error.reason


def _choose(sources: Sequence[Source], budget: int) -> int:
    """The finest setting at which the pictures fit, by a sample of them."""
    chosen = np.unique(np.linspace(0, max(len(sources) - 1, 0), _SAMPLE).round().astype(int))
    finest = [thumbnail(SETTINGS[0], sources[place]) for place in chosen if len(sources)]
    images = [one for one in finest if not isinstance(one, str)]
    if not images:
        return 0
    share = len(images) / len(finest)
    for rung, setting in enumerate(SETTINGS):
        sizes = [encoded_size(_smaller(one, setting) if rung else one) for one in images]
        if np.mean(sizes) * len(sources) * share <= budget * _MARGIN:
            return rung
    return len(SETTINGS) - 1


def _smaller(image: bytes, setting: Setting) -> bytes:
    return _encode(Image.open(io.BytesIO(image)), setting)


def _encode(picture: Image.Image, setting: Setting) -> bytes:
    # Pillow's thumbnail makes no side smaller than 1 pixel, however long a strip is.
    picture.thumbnail((setting.side, setting.side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", quality=setting.quality)
    return buffer.getvalue()


def _total(images: Sequence[bytes | None]) -> int:
    return sum(encoded_size(one) for one in images if one is not None)


def _fitting(images: Sequence[bytes | None], budget: int) -> tuple[tuple[bytes | None, ...], int]:
    """The pictures up to where the budget ends, and how many come after."""
    kept: list[bytes | None] = []
    left, left_out = budget, 0
    for image in images:
        left -= 0 if image is None else encoded_size(image)
        kept.append(image if left >= 0 else None)
        left_out += image is not None and left < 0
    return tuple(kept), left_out
