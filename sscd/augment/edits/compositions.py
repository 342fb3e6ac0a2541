"""The picture beside or upon others: backgrounds and collages (paper, 4.2 and A.1)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from PIL import ImageOps

from sscd.augment import operations
from sscd.augment.augly import mends as augly_mends
from sscd.augment.backgrounds import draw_background
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import (
    bounded_scale,
    integer,
    log_uniform,
    plain_color,
    uniform,
)
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    IntegerRange,
    Range,
    SecondaryPictures,
    Within,
)

Sides = Annotated[Range, Within(0.05, 1.0)]
Ratios = Annotated[Range, Within(0.1, 10.0)]
Growth = Annotated[float, Within(1.0, 10.0)]


@dataclass(frozen=True)
class OntoDrawnBackground(EditAlone):
    """Pasted onto one colour, a gradient, clouds or tiles.

    Attributes:
        share: Geometric mean of the picture's sides over the background's.
        ratio: How much wider, relative to its height, the background is than the picture.
    """

    share: Sides
    ratio: Ratios

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Paste the picture somewhere inside a background; neither is resized."""
        width, height = _frame(canvas.image.size, rng, share=self.share, ratio=self.ratio)
        background, description = draw_background(rng, width=width, height=height)
        x, y = _place(canvas.image.size, (width, height), rng)
        return canvas.pasted_onto(background, x=x, y=y), {
            "width": width,
            "height": height,
            "x": x,
            "y": y,
            "background": description,
        }


@dataclass(frozen=True)
class OntoBackground:
    """Pasted onto a secondary picture, which is cut and resized to fit (paper, 4.2).

    Attributes:
        share: Geometric mean of the picture's sides over the background's.
        ratio: How much wider, relative to its height, the background is than the picture.
        growth: Largest area of the result over the picture's; beyond it, both are made smaller.
    """

    needs_secondary: ClassVar[bool] = True

    share: Sides
    ratio: Ratios
    growth: Growth

    def __call__(
        self,
        canvas: Canvas,
        rng: np.random.Generator,
        secondary: SecondaryPictures | None,
    ) -> Edited:
        """Paste the picture somewhere inside the other one.

        Raises:
            ValueError: There are no secondary pictures.
        """
        name, picture = _secondary(secondary).pick(rng)
        frame = _frame(canvas.image.size, rng, share=self.share, ratio=self.ratio)
        pixels = self.growth * canvas.image.width * canvas.image.height
        scale = bounded_scale(frame, pixels=pixels)
        canvas, (width, height) = _scaled(canvas, scale), _times(frame, scale)
        width, height = max(width, canvas.image.width), max(height, canvas.image.height)
        background = ImageOps.fit(picture, (width, height))
        x, y = _place(canvas.image.size, (width, height), rng)
        return canvas.pasted_onto(background, x=x, y=y), {
            "secondary": name,
            "width": width,
            "height": height,
            "x": x,
            "y": y,
            "size": list(canvas.image.size),
        }


@dataclass(frozen=True)
class Collage:
    """In one cell of a table of pictures, the others secondary ones (paper, A.1).

    Attributes:
        columns: How many.
        rows: How many. One cell alone becomes two columns.
        share: The cell's width over the collage's where there are columns, and likewise its height.
        gap: Between and around the cells, over the cell's short side.
        growth: Largest area of the result over the picture's; beyond it, all is made smaller.
    """

    needs_secondary: ClassVar[bool] = True

    columns: Annotated[IntegerRange, Within(1, 3)]
    rows: Annotated[IntegerRange, Within(1, 3)]
    share: Sides
    gap: Annotated[Range, Within(0.0, 0.5)]
    growth: Growth

    def __call__(
        self,
        canvas: Canvas,
        rng: np.random.Generator,
        secondary: SecondaryPictures | None,
    ) -> Edited:
        """Lay the pictures side by side.

        Raises:
            ValueError: There are no secondary pictures.
        """
        columns, rows = integer(rng, self.columns), integer(rng, self.rows)
        columns = 2 if columns == rows == 1 else columns
        counts = (columns, rows)
        own = (int(rng.integers(columns)), int(rng.integers(rows)))
        shares = [uniform(rng, self.share) if count > 1 else 1.0 for count in counts]
        width, height = canvas.image.size
        gap_share = uniform(rng, self.gap)
        gaps = gap_share * min(width, height)
        whole = (
            width / shares[0] + gaps * (columns + 1),
            height / shares[1] + gaps * (rows + 1),
        )
        canvas = _scaled(canvas, bounded_scale(whole, pixels=self.growth * width * height))
        gap = round(gap_share * min(canvas.image.size))
        across, down = (
            _cells(side, count=count, own=place, share=share, gap=gap)
            for side, count, place, share in zip(
                canvas.image.size, counts, own, shares, strict=True
            )
        )
        boxes = [(left, top, right, bottom) for top, bottom in down for left, right in across]
        box = boxes.pop(own[1] * columns + own[0])
        picked = [_secondary(secondary).pick(rng) for _ in boxes]
        color = plain_color(rng)
        size = (across[-1][1] + gap, down[-1][1] + gap)
        laid = augly_mends.collage(size, [picture for _, picture in picked], boxes, gap=color)
        return canvas.pasted_onto(laid, x=box[0], y=box[1]), {
            "width": size[0],
            "height": size[1],
            "box": list(box),
            "color": list(color),
            "others": [
                {"secondary": name, "box": list(place)}
                for (name, _), place in zip(picked, boxes, strict=True)
            ],
        }


def _frame(
    size: tuple[int, int], rng: np.random.Generator, *, share: Range, ratio: Range
) -> tuple[int, int]:
    """Width and height of a background, at least the picture's."""
    fraction = uniform(rng, share)
    aspect = log_uniform(rng, ratio)
    width = round(size[0] / fraction * aspect**0.5)
    height = round(size[1] / fraction / aspect**0.5)
    return max(width, size[0]), max(height, size[1])


def _place(
    inner: tuple[int, int], outer: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    x, y = (int(rng.integers(o - i + 1)) for i, o in zip(inner, outer, strict=True))
    return x, y


def _times(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _scaled(canvas: Canvas, scale: float) -> Canvas:
    if scale >= 1:
        return canvas
    width, height = _times(canvas.image.size, scale)
    return canvas.moved(lambda picture, _: operations.resize(picture, width=width, height=height))


def _cells(side: int, *, count: int, own: int, share: float, gap: int) -> list[tuple[int, int]]:
    """Start and end of each column (or row); the own one is `side` pixels, the others share."""
    other = max(1, round(side * (1 - share) / share / (count - 1))) if count > 1 else 0
    cells, start = [], gap
    for place in range(count):
        end = start + (side if place == own else other)
        cells.append((start, end))
        start = end + gap
    return cells


def _secondary(pictures: SecondaryPictures | None) -> SecondaryPictures:
    if pictures is None:
        raise ValueError("secondary got None; expected pictures to lay under or beside this one")
    return pictures
