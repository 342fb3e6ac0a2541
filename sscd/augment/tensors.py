"""From a PIL picture to what a network reads."""

from typing import Literal

import numpy as np
import torch
from PIL import Image

ResizeMode = Literal["square", "short_side", "long_side"]

MAX_ASPECT_RATIO = 16
"""Long over short side beyond which `short_side` squeezes, lest a thin strip fill the memory."""


def to_uint8_tensor(image: Image.Image) -> torch.Tensor:
    """Return the picture as a uint8 tensor (3, H, W); scaling to floats is the model's.

    Raises:
        ValueError: The picture is not RGB.
    """
    if image.mode != "RGB":
        raise ValueError(f"image.mode got {image.mode}; expected RGB")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def resize_for_inference(image: Image.Image, *, size: int, mode: ResizeMode) -> Image.Image:
    """Resize a whole picture, bilinear with antialiasing (Pillow's and torchvision's default).

    Args:
        image: RGB picture.
        size: Pixels of the side that `mode` names.
        mode: `square`: both sides are `size`, the aspect ratio is lost, pictures can be batched.
            `short_side`: the short side is `size`, the long one in proportion, at most
            `MAX_ASPECT_RATIO` times `size`. `long_side`: the long side is at most `size`; never
            enlarges.

    Raises:
        ValueError: `size` is not positive or `mode` is unknown.
    """
    if size < 1:
        raise ValueError(f"size got {size}; expected at least 1")
    target = resize_target(*image.size, size=size, mode=mode)
    return image if target == image.size else image.resize(target, Image.Resampling.BILINEAR)


def resize_target(width: int, height: int, *, size: int, mode: ResizeMode) -> tuple[int, int]:
    """The width and height to which `resize_for_inference` brings a picture."""
    if mode == "square":
        return size, size
    short, long = min(width, height), max(width, height)
    if mode == "short_side":
        sides = size, min(size * long // short, MAX_ASPECT_RATIO * size)
    elif mode == "long_side":
        sides = (max(1, round(short * size / long)), size) if long > size else (short, long)
    else:
        raise ValueError(f"mode got {mode!r}; expected square, short_side or long_side")
    return sides if width <= height else (sides[1], sides[0])
