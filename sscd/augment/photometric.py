"""What happens to a view's pixels after its crop, as data: drawn once, applied on CPU or device.

`Photometric.apply` is the CPU half, one PIL picture at a time; `pack` makes a tensor of many for
the device half, `sscd.augment.batch.apply_photometric`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from sscd.augment import fast_pixels, operations
from sscd.augment.augly.ops import encode_jpeg

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
"""Numbers of the colour jitter's changes in `Photometric.jitter_order`."""
NONE = -1.0
"""In a packed row: no change at this step of the jitter, or no JPEG."""

ORDER_COLUMNS = slice(0, 4)
FACTOR_COLUMNS = slice(4, 8)
"""Brightness, contrast, saturation, hue: that of change k is column `FACTOR_COLUMNS.start + k`."""
GREYSCALE_COLUMN, BLUR_COLUMN, JPEG_COLUMN = 8, 9, 10
COLUMNS = 11


@dataclass(frozen=True)
class Photometric:
    """What is done to the pixels of one view after its crop.

    Jitter, greyscale, blur and JPEG follow each other in this order.

    Args:
        jitter_order: The changes of the colour jitter in their order, each at most once
            (`BRIGHTNESS`, `CONTRAST`, `SATURATION`, `HUE`); empty for no jitter.
        brightness: Factor of `operations.brightness`.
        contrast: Factor of `operations.contrast`.
        saturation: Factor of `operations.saturation`.
        hue: Share of a turn of the colour circle, in [-.5, .5].
        greyscale: Whether colour is replaced by luma.
        blur: Standard deviation in pixels; 0 for none.
        jpeg: Quality, 0 to 100; None for none.

    Raises:
        ValueError: A value out of its range.
    """

    jitter_order: tuple[int, ...] = ()
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    greyscale: bool = False
    blur: float = 0.0
    jpeg: int | None = None

    def __post_init__(self) -> None:
        order = set(self.jitter_order)
        if len(order) != len(self.jitter_order) or not order <= set(range(4)):
            raise ValueError(f"jitter_order got {self.jitter_order}; expected each of 0 to 3 once")
        for name in ("brightness", "contrast", "saturation", "blur"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} got {value}; expected a finite number, at least 0")
        if not -0.5 <= self.hue <= 0.5:
            raise ValueError(f"hue got {self.hue}; expected -0.5 to 0.5")
        if self.jpeg is not None and not 0 <= self.jpeg <= 100:
            raise ValueError(f"jpeg got {self.jpeg}; expected 0 to 100, or None")

    def apply(self, image: Image.Image) -> Image.Image:
        """Return the RGB picture so changed; the one given is left as it is."""
        for step in self.jitter_order:
            if step == BRIGHTNESS:
                image = operations.brightness(image, factor=self.brightness)
            elif step == CONTRAST:
                image = operations.contrast(image, factor=self.contrast)
            elif step == SATURATION:
                image = operations.saturation(image, factor=self.saturation)
            else:
                image = fast_pixels.hue(image, shift=self.hue)
        if self.greyscale:
            image = operations.greyscale(image)
        if self.blur > 0:
            image = fast_pixels.gaussian_blur(image, radius=self.blur)
        if self.jpeg is not None:
            image = encode_jpeg(image, quality=self.jpeg)
        return image


def pack(views: Sequence[Photometric]) -> Tensor:
    """Return the parameters of N views as one tensor, which travels in the batch.

    Returns:
        (N, 11) float32: four steps of the jitter (`NONE` where there are fewer), brightness,
        contrast, saturation, hue, greyscale (0 or 1), blur, JPEG quality (`NONE` for none).

    >>> pack([Photometric(jitter_order=(3, 0), hue=0.25, jpeg=30)]).tolist()
    [[3.0, 0.0, -1.0, -1.0, 1.0, 1.0, 1.0, 0.25, 0.0, 0.0, 30.0]]
    """
    rows = [
        (
            *view.jitter_order,
            *[NONE] * (4 - len(view.jitter_order)),
            view.brightness,
            view.contrast,
            view.saturation,
            view.hue,
            float(view.greyscale),
            view.blur,
            NONE if view.jpeg is None else float(view.jpeg),
        )
        for view in views
    ]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(rows), COLUMNS)
