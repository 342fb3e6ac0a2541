"""Where pixels go: crop, rotation, flips, padding, aspect ratio, perspective (4.2 and A.1)."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from sscd.augment import operations
from sscd.augment.augly import mends as augly_mends
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import happens, integer, plain_color, sign, uniform
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    IntegerRange,
    Probability,
    Range,
    Shares,
    Within,
)

Ratios = Annotated[Range, Within(0.1, 10.0)]

_BLACK = (0, 0, 0)
# Below a quarter of the sides, moved corners are always those of a convex quadrilateral.
_FARTHEST = 0.2


@dataclass(frozen=True)
class Crop(EditAlone):
    """A part of the picture, as torchvision's `RandomResizedCrop` chooses it, not resized.

    Attributes:
        scale: Its area over the picture's.
        ratio: Its width over its height.
    """

    scale: Annotated[Range, Within(0.01, 1.0)]
    ratio: Ratios

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Cut it out."""
        box = operations.random_resized_crop_box(
            rng,
            width=canvas.image.width,
            height=canvas.image.height,
            scale=self.scale,
            ratio=self.ratio,
        )
        return canvas.moved(lambda picture, _: picture.crop(box)), {"box": list(box)}


@dataclass(frozen=True)
class RotateRightAngle(EditAlone):
    """A rotation that loses nothing.

    Attributes:
        turns: Of 90° anticlockwise.
    """

    turns: Annotated[IntegerRange, Within(1, 3)]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Turn the picture."""
        degrees = 90 * integer(rng, self.turns)
        turned = canvas.moved(
            lambda picture, _: operations.rotate_right_angle(picture, degrees=degrees)
        )
        return turned, {"degrees": degrees}


@dataclass(frozen=True)
class Rotate(EditAlone):
    """A rotation by any angle, to either side.

    Attributes:
        degrees: Absolute angle.
        cropped: Probability of showing the largest upright rectangle inside, as AugLy does, and
            not all of the picture with filled corners.
        black: Probability of black corners; else they are black, white or of any colour.
    """

    degrees: Annotated[Range, Within(0.0, 180.0)]
    cropped: Probability
    black: Probability

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Turn the picture."""
        degrees = uniform(rng, self.degrees) * sign(rng)
        if happens(rng, self.cropped):
            turned = canvas.moved(
                lambda picture, _: operations.rotate_cropped(picture, degrees=degrees)
            )
            return turned, {"degrees": degrees, "cropped": True}
        color = _BLACK if happens(rng, self.black) else plain_color(rng)
        turned = canvas.moved(
            lambda picture, fill: operations.rotate_filled(picture, degrees=degrees, fill=fill),
            fill=color,
        )
        return turned, {"degrees": degrees, "fill": list(color)}


@dataclass(frozen=True)
class HorizontalFlip(EditAlone):
    """Left and right exchanged."""

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:  # noqa: ARG002
        """Mirror the picture."""
        return canvas.moved(lambda picture, _: operations.horizontal_flip(picture)), {}


@dataclass(frozen=True)
class VerticalFlip(EditAlone):
    """Top and bottom exchanged."""

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:  # noqa: ARG002
        """Mirror the picture."""
        return canvas.moved(lambda picture, _: operations.vertical_flip(picture)), {}


@dataclass(frozen=True)
class Padding(EditAlone):
    """A border of one colour, each side by itself.

    Attributes:
        share: Left and right over the width, top and bottom over the height.
    """

    share: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Add the border."""
        width, height = canvas.image.size
        left, right = (round(share * width) for share in rng.uniform(*self.share, 2))
        top, bottom = (round(share * height) for share in rng.uniform(*self.share, 2))
        border, color = (left, top, right, bottom), plain_color(rng)
        padded = canvas.moved(
            lambda picture, fill: operations.pad(picture, border=border, color=fill), fill=color
        )
        return padded, {"border": list(border), "color": list(color)}


@dataclass(frozen=True)
class AspectRatio(EditAlone):
    """Stretched or squeezed, the area as before.

    Attributes:
        factor: Of width over height; as often its inverse.
    """

    factor: Ratios

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Change the aspect ratio."""
        factor = uniform(rng, self.factor)
        factor = factor if sign(rng) > 0 else 1 / factor
        changed = canvas.moved(
            lambda picture, _: operations.change_aspect_ratio(picture, factor=factor)
        )
        return changed, {"factor": factor}


@dataclass(frozen=True)
class Perspective(EditAlone):
    """Seen from aside, on a canvas of the picture's size.

    Attributes:
        deviation: Standard deviation of the corners' displacement in x and in y, over the short
            side. No corner goes farther than a fifth of a side.
        black: Probability of a black surrounding; else it is black, white or of any colour.
    """

    deviation: Shares
    black: Probability

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Move the corners; where they go is recorded in pixels."""
        width, height = canvas.image.size
        deviation = uniform(rng, self.deviation) * min(width, height)
        shifts = rng.normal(0, deviation, (4, 2))
        farthest = _FARTHEST * np.array([width, height])
        sources = np.array([[0, 0], [width, 0], [width, height], [0, height]])
        places = (sources + np.clip(shifts, -farthest, farthest)).tolist()
        corners = tuple((x, y) for x, y in places)
        color = _BLACK if happens(rng, self.black) else plain_color(rng)
        moved = canvas.moved(
            lambda picture, fill: augly_mends.perspective_transform(
                picture, corners=corners, fill=fill
            ),
            fill=color,
        )
        return moved, {"corners": places, "fill": list(color)}
