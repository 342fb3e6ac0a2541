"""Where a view's pixels come from, as data: drawn once, applied to the picture at any scale.

The order is that of the ADVANCED recipe: mirror, right-angle rotation, text, emoji, free rotation,
crop. The crop is chosen with the rest, so that all before it is done inside its box only; the
pixels are those of doing it to the whole picture.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

from PIL import Image

from sscd.augment import operations
from sscd.augment.composite import paste_emoji, paste_text
from sscd.augment.operations import Box
from sscd.augment.overlay import EmojiOverlay, TextOverlay

FloatBox = tuple[float, float, float, float]


@dataclass(frozen=True)
class Geometry:
    """What is done to a picture until it is a view of S×S pixels.

    Attributes:
        picture: Width and height, in pixels, of the picture that this was drawn for.
        box: The crop (left, top, right, bottom), in pixels of the turned and rotated picture.
        flip: Whether left and right are mirrored.
        right_angle: 0, 90, 180 or 270 degrees anticlockwise.
        text: Text over the picture.
        emoji: Emoji over the picture, and over the text.
        rotation: Degrees of a free rotation within the frame, with black corners; None for none.
    """

    picture: tuple[int, int]
    box: Box
    flip: bool = False
    right_angle: int = 0
    text: TextOverlay | None = None
    emoji: EmojiOverlay | None = None
    rotation: float | None = None

    def reduction(self, size: int) -> float:
        """By how much the picture may be shrunk without the view of `size` being enlarged."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top) / size

    def apply(self, picture: Image.Image, *, size: int) -> Image.Image:
        """Return the view (size, size).

        Args:
            picture: RGB; the picture this was drawn for, or one decoded at a reduced scale.
            size: Side of the view, pixels.
        """
        part, inner = self._cropped(picture) if self.rotation is None else self._rotated(picture)
        return part.resize((size, size), Image.Resampling.BILINEAR, box=inner)

    def _cropped(self, picture: Image.Image) -> tuple[Image.Image, FloatBox]:
        """The whole pixels that hold the crop, and where it lies in them."""
        # A picture decoded at a reduced scale is rounded up to the right and below, so that only
        # what is counted from its own left and top can be scaled.
        box = self._before_turning(self.box, whole=self._turned_size(self.picture))
        exact = _scaled(box, self._scale(picture))
        outer = _outer(exact, within=picture.size)
        part = self._turned(picture.crop(outer))
        left, top = self._after_turning(outer, picture.size)[:2]
        whole = self._turned_size(picture.size)
        part = self._overlaid(part, whole=whole, origin=(round(left), round(top)))
        size = outer[2] - outer[0], outer[3] - outer[1]
        return part, self._after_turning(_inner(exact, outer), size)

    def _rotated(self, picture: Image.Image) -> tuple[Image.Image, FloatBox]:
        """The same after the free rotation, which takes the whole picture."""
        turned = self._overlaid(
            self._turned(picture), whole=self._turned_size(picture.size), origin=(0, 0)
        )
        exact = _scaled(self.box, self._scale(picture))
        outer = _outer(exact, within=turned.size)
        part = operations.rotate_in_place(turned, degrees=self.rotation or 0.0, box=outer)
        return part, _inner(exact, outer)

    def _turned_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return size if self.right_angle % 180 == 0 else (size[1], size[0])

    def _turned(self, part: Image.Image) -> Image.Image:
        if self.flip:
            part = operations.horizontal_flip(part)
        if self.right_angle:
            part = operations.rotate_right_angle(part, degrees=self.right_angle)
        return part

    def _overlaid(
        self, part: Image.Image, *, whole: tuple[int, int], origin: tuple[int, int]
    ) -> Image.Image:
        if self.text is not None:
            part = paste_text(part, whole=whole, origin=origin, **_fields(self.text))
        if self.emoji is not None:
            part = paste_emoji(part, whole=whole, origin=origin, **_fields(self.emoji))
        return part

    def _scale(self, picture: Image.Image) -> float:
        """What the picture was decoded at: 1, 1/2, 1/4 or 1/8."""
        reduction = max(self.picture[0] / picture.width, self.picture[1] / picture.height)
        return float(2.0 ** -round(math.log2(reduction)))

    def _before_turning(self, box: Box, *, whole: tuple[int, int]) -> Box:
        """The box in the picture of which `box` is the turned image; `whole` is its turned size."""
        (left, top, right, bottom), (width, height) = box, whole
        if self.right_angle == 90:  # what was on the right is on top
            left, top, right, bottom = height - bottom, left, height - top, right
            width, height = height, width
        elif self.right_angle == 180:
            left, top, right, bottom = width - right, height - bottom, width - left, height - top
        elif self.right_angle == 270:
            left, top, right, bottom = top, width - right, bottom, width - left
            width, height = height, width
        if self.flip:
            left, right = width - right, width - left
        return left, top, right, bottom

    def _after_turning(self, box: FloatBox, size: tuple[int, int]) -> FloatBox:
        """Where `box` of a picture of this size lies once that is turned."""
        (left, top, right, bottom), (width, height) = box, size
        if self.flip:
            left, right = width - right, width - left
        if self.right_angle == 90:
            return top, width - right, bottom, width - left
        if self.right_angle == 180:
            return width - right, height - bottom, width - left, height - top
        if self.right_angle == 270:
            return height - bottom, left, height - top, right
        return left, top, right, bottom


def _scaled(box: Box, scale: float) -> FloatBox:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


def _outer(box: FloatBox, *, within: tuple[int, int]) -> Box:
    """The whole pixels that hold a box, one at least in each direction."""
    left, top = (min(math.floor(edge), end - 1) for edge, end in zip(box[:2], within, strict=True))
    right, bottom = (min(math.ceil(edge), end) for edge, end in zip(box[2:], within, strict=True))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _inner(exact: FloatBox, outer: Box) -> FloatBox:
    """Where a box lies in its outer pixels: at a reduced scale it begins and ends within pixels."""
    width, height = outer[2] - outer[0], outer[3] - outer[1]
    left, right = (min(max(exact[k] - outer[0], 0.0), width) for k in (0, 2))
    top, bottom = (min(max(exact[k] - outer[1], 0.0), height) for k in (1, 3))
    # A rotated picture of a few pixels may end before the box does.
    if right - left < 0.5:
        left, right = 0.0, width
    if bottom - top < 0.5:
        top, bottom = 0.0, height
    return left, top, right, bottom


def _fields(overlay: TextOverlay | EmojiOverlay) -> dict[str, Any]:
    return {field.name: getattr(overlay, field.name) for field in fields(overlay)}
