"""The training recipes of SSCD: a picture and a random stream in, one view out.

Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", CVPR 2022 (arXiv
2202.10261), section 4: SIMCLR is the baseline, STRONG_BLUR blurs more, ADVANCED adds rotations,
overlays of text and emoji, and JPEG.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.augly_ops import encode_jpeg
from sscd.augment.overlay import EmojiOverlay, TextOverlay

RecipeName = Literal["simclr", "strong_blur", "advanced"]

JITTER = (0.8, 0.8, 0.8, 0.2)
"""Brightness, contrast, saturation, hue of the published colour jitter."""
PUBLISHED_SIZE = 224
"""Side, in pixels, of the view that the published blur radii are meant for."""
SIMCLR_BLUR = (0.1, 2.0)
STRONG_BLUR = (1.0, 5.0)


@dataclass(frozen=True)
class RecipeConfig:
    """Settings of a recipe. The defaults are the published ones; gentler ones suit small budgets.

    Args:
        name: simclr, strong_blur or advanced.
        crop_scale: Range of the crop's area over the picture's.
        crop_ratio: Range of the crop's width over its height.
        jitter_strength: Multiplies the published colour jitter (.8, .8, .8, .2); 0 turns it off.

    Raises:
        ValueError: A value out of its range.
    """

    name: RecipeName = "advanced"
    crop_scale: tuple[float, float] = (0.08, 1.0)
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    jitter_strength: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in ("simclr", "strong_blur", "advanced"):
            raise ValueError(f"name got {self.name!r}; expected simclr, strong_blur or advanced")
        if len(self.crop_scale) != 2 or not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise ValueError(f"crop_scale got {self.crop_scale}; expected 0 < low <= high <= 1")
        low, high = self.crop_ratio
        if not 0 < low <= high or not math.isfinite(high):
            raise ValueError(f"crop_ratio got {self.crop_ratio}; expected 0 < low <= high")
        if not 0 <= self.jitter_strength <= 2.5:  # at 2.5 the hue turns by any angle
            raise ValueError(f"jitter_strength got {self.jitter_strength}; expected 0 to 2.5")


class Recipe:
    """Makes views of one size by one recipe.

    The blur radius is scaled by size/224, so that a small view is blurred as much, relative to its
    side, as a published one.

    Args:
        config: The recipe's settings.
        size: Side of the views, pixels.

    Raises:
        ValueError: `size` is not positive.
    """

    def __init__(self, config: RecipeConfig, *, size: int) -> None:
        if size < 1:
            raise ValueError(f"size got {size}; expected at least 1")
        self.config = config
        self.size = size
        blur = SIMCLR_BLUR if config.name == "simclr" else STRONG_BLUR
        self._blur = (blur[0] * size / PUBLISHED_SIZE, blur[1] * size / PUBLISHED_SIZE)

    def __call__(self, image: Image.Image, rng: np.random.Generator) -> Image.Image:
        """Return one view, RGB of (size, size). The picture is left as it is.

        Args:
            image: RGB picture of any size.
            rng: The view's own stream (`seeds.view_rng`).

        Raises:
            ValueError: The picture is not RGB.
        """
        if image.mode != "RGB":
            raise ValueError(f"image.mode got {image.mode}; expected RGB")
        advanced = self.config.name == "advanced"
        if advanced:
            image = _disturb(image, rng)
        view = self._crop(image, rng)
        if not advanced and rng.random() < 0.5:
            view = operations.horizontal_flip(view)
        if rng.random() < 0.8:
            view = _jitter(view, rng, strength=self.config.jitter_strength)
        if rng.random() < 0.2:
            view = operations.greyscale(view)
        if rng.random() < 0.5:
            view = operations.gaussian_blur(view, radius=float(rng.uniform(*self._blur)))
        if advanced and rng.random() < 0.2:
            view = encode_jpeg(view, quality=int(rng.integers(0, 101)))
        return view

    def _crop(self, image: Image.Image, rng: np.random.Generator) -> Image.Image:
        box = operations.random_resized_crop_box(
            rng,
            width=image.width,
            height=image.height,
            scale=self.config.crop_scale,
            ratio=self.config.crop_ratio,
        )
        return operations.crop_and_resize(image, box=box, size=self.size)


def _disturb(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """What ADVANCED does to the whole picture, before the crop."""
    if rng.random() < 0.5:
        image = operations.horizontal_flip(image)
    if rng.random() < 0.05:
        image = operations.rotate_right_angle(image, degrees=90 * int(rng.integers(1, 4)))
    if rng.random() < 0.1:
        image = TextOverlay.draw(rng).apply(image)
    if rng.random() < 0.2:
        image = EmojiOverlay.draw(rng).apply(image)
    if rng.random() < 0.05:
        image = operations.rotate_cropped(image, degrees=float(rng.uniform(0, 359)))
    return image


def _jitter(image: Image.Image, rng: np.random.Generator, *, strength: float) -> Image.Image:
    """Colour jitter as torchvision's `ColorJitter`: four changes in a random order."""
    light, contrast, colour, turn = (value * strength for value in JITTER)
    order = rng.permutation(4).tolist()
    factors = [float(rng.uniform(max(0.0, 1 - v), 1 + v)) for v in (light, contrast, colour)]
    shift = float(rng.uniform(-turn, turn))
    for step in order:
        if step == 0:
            image = operations.brightness(image, factor=factors[0])
        elif step == 1:
            image = operations.contrast(image, factor=factors[1])
        elif step == 2:
            image = operations.saturation(image, factor=factors[2])
        else:
            image = operations.hue(image, shift=shift)
    return image
