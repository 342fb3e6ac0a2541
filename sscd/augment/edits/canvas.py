"""A picture that is being edited, together with what each of its pixels still shows of the source.

The second half is what makes a benchmark's truth checkable: a copy in which next to nothing of its
source is left is a wrong label, whatever its operations were called.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.augment.operations import Color

GRID = 32
"""Rows and columns of cells into which the source is divided."""

Fill = Color | int
Move = Callable[[Image.Image, Fill], Image.Image]


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture being edited.

    Attributes:
        image: RGB.
        cells: Mode I, the same size: 0 where a pixel shows nothing of the source, else 1 + the
            number of the cell of the source that it shows.
        shares: (cells of the source,) how much of each cell has not been covered, in [0, 1].
    """

    image: Image.Image
    cells: Image.Image
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        """The canvas of a source that nothing has been done to.

        Raises:
            ValueError: The picture is not RGB.
        """
        if image.mode != "RGB":
            raise ValueError(f"image.mode got {image.mode}; expected RGB")
        columns, rows = min(GRID, image.width), min(GRID, image.height)
        numbers = np.arange(1, columns * rows + 1, dtype=np.int32).reshape(rows, columns)
        cells = Image.fromarray(numbers).resize(image.size, Image.Resampling.NEAREST)
        return cls(image=image, cells=cells, shares=np.ones(columns * rows))

    def recolored(self, image: Image.Image) -> Self:
        """The canvas with other pixels in the same places.

        Raises:
            ValueError: The size is another: that is a move.
        """
        if image.size != self.image.size:
            raise ValueError(f"image.size got {image.size}; expected {self.image.size}")
        return replace(self, image=image)

    def moved(self, move: Move, *, fill: Color = (0, 0, 0)) -> Self:
        """The canvas after a change of geometry.

        Args:
            move: (picture, fill) → picture; called for the RGB picture with `fill`, and for the
                cells (mode I) with 0, which it must resample by nearest neighbour. The functions
                of `sscd.augment.operations` do.
            fill: What takes the place of what was not in the picture.
        """
        return replace(self, image=move(self.image, fill), cells=move(self.cells, 0))

    def covered(self, image: Image.Image, mask: Image.Image | Callable[[], Image.Image]) -> Self:
        """The canvas after something was laid over it.

        Args:
            image: RGB, of the same size, what is seen now.
            mask: L, of the same size: opacity of what lies over the source. From one half on, the
                source counts as hidden. Or what draws it, where not every canvas asks.
        """
        hidden = np.asarray(mask if isinstance(mask, Image.Image) else mask()) >= 128
        before = np.asarray(self.cells)
        cells = np.where(hidden, np.int32(0), before).astype(np.int32)
        pixels, left = (self._pixels(numbers) for numbers in (before, cells))
        shares = self.shares * np.divide(left, pixels, out=np.ones(len(left)), where=pixels > 0)
        covered = replace(self.recolored(image), shares=shares)
        return replace(covered, cells=Image.fromarray(cells))

    def scattered(self, image: Image.Image, share: float) -> Self:
        """The canvas after a share of its pixels, in [0, 1], was moved elsewhere at random."""
        return replace(self.recolored(image), shares=self.shares * (1 - share))

    def pasted_onto(self, background: Image.Image, *, x: int, y: int) -> Self:
        """The canvas on a background, its top left corner at (x, y), which may be negative."""
        image, cells = background.copy(), Image.new("I", background.size, 0)
        image.paste(self.image, (x, y))
        cells.paste(self.cells, (x, y))
        return replace(self, image=image, cells=cells)

    @property
    def surviving_area(self) -> float:
        """Share of the source's area that is seen, in [0, 1].

        Of each cell with a pixel in the picture it is the share that nothing was laid over; a cell
        that a crop or a frame cuts counts as if it were there whole.
        """
        seen = self._pixels(np.asarray(self.cells)) > 0
        return float(self.shares[seen].sum() / len(self.shares))

    @property
    def share_of_picture(self) -> float:
        """Share of the picture's own pixels that show the source, in [0, 1]."""
        return float((np.asarray(self.cells) > 0).mean())

    @property
    def visible_contrast(self) -> float:
        """Standard deviation of the grey levels (0 to 255) over what is seen of the source."""
        shown = np.asarray(self.image.convert("L"))[np.asarray(self.cells) > 0]
        return float(shown.std()) if shown.size else 0.0

    def _pixels(self, cells: NDArray[np.int32]) -> NDArray[np.int64]:
        """How many pixels show each cell."""
        return np.bincount(cells.ravel(), minlength=len(self.shares) + 1)[1:]
