"""A canvas that remembers only roughly what is seen of the source, for training has no time."""

import functools
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.operations import Box

_GRID = 8
# Rows and columns of the points at which a view is looked at.
_POINTS = 32


@dataclass(frozen=True, eq=False)
class LightCanvas(Canvas):
    """A picture being edited, the source divided into 8×8 cells at most.

    What is laid over the source does not hide it here, nor do pixels that change their places:
    `shares` stays as it is.
    """

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        """The canvas of a source that nothing has been done to.

        Raises:
            ValueError: The picture is not RGB.
        """
        if image.mode != "RGB":
            raise ValueError(f"image.mode got {image.mode}; expected RGB")
        columns, rows = min(_GRID, image.width), min(_GRID, image.height)
        cells = _cells(image.size, columns, rows)
        return cls(image=image, cells=cells, shares=np.ones(columns * rows))

    def covered(self, image: Image.Image, mask: object) -> Self:  # noqa: ARG002
        """The canvas after something was laid over it, which hides nothing here."""
        return self.recolored(image)

    def scattered(self, image: Image.Image, share: float) -> Self:  # noqa: ARG002
        """The canvas after pixels were moved elsewhere, which loses nothing here."""
        return self.recolored(image)


def cropped(canvas: Canvas, box: Box) -> Canvas:
    """The part of a canvas in (left, top, right, bottom)."""
    return replace(canvas, image=canvas.image.crop(box), cells=canvas.cells.crop(box))


def coarse(canvas: Canvas) -> Canvas:
    """A canvas at 32×32 points, of which shares and contrast are soon counted."""
    points = (_POINTS, _POINTS)
    return replace(
        canvas,
        image=canvas.image.resize(points, Image.Resampling.BOX),
        cells=canvas.cells.resize(points, Image.Resampling.NEAREST),
    )


@functools.lru_cache(maxsize=32)
def _cells(size: tuple[int, int], columns: int, rows: int) -> Image.Image:
    """The numbers of the cells over a picture; no operation changes the canvas that it is given."""
    across, down = (
        np.arange(side, dtype=np.int32) * count // side
        for side, count in zip(size, (columns, rows), strict=True)
    )
    numbers: NDArray[np.int32] = (1 + columns * down[:, None] + across[None, :]).astype(np.int32)
    return Image.fromarray(numbers)
