"""Random transformations that a gradient passes through: T of the attack (DISC21, A.3, equation 3).

The paper does not say which it took. These are those of the watermarks that it refers to (Fernandez
et al., ICASSP 2022, arXiv 2112.09581): one of crop, resize, rotation and blur, or none, with or
without a mirror; and beside them light and noise, since the edits of the challenge change these,
too.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Transformation = Callable[[Tensor], Tensor]
"""(1, 3, H, W) floats from 0 to 255 → the same, of another size where it crops or resizes."""

_AREA = (0.2, 1.0)
_RATIO = (3 / 4, 4 / 3)
_DEGREES = 30.0
_SIGMAS = (0.5, 2.9)
_LIGHT = (0.7, 1.3)
_NOISE = 10.0


def random_transformation(rng: np.random.Generator) -> Transformation:
    """Draw a transformation.

    It is one of nothing, a crop (20 to 100 % of the area, aspect ratio changed by up to 4:3), a
    reduction (to 20 to 100 % of the area), a rotation by at most 30° (small angles more often),
    a Gaussian blur (deviation 0.5 to 2.9 pixels), brightness and contrast (factors 0.7 to 1.3) and
    noise (deviation up to 10 levels), each as likely; and half of the time a mirror besides.

    Args:
        rng: What it is drawn from.
    """
    draws = (_nothing, _crop, _reduction, _rotation, _blur, _light, _noise)
    chosen = draws[int(rng.integers(len(draws)))](rng)
    mirror = bool(rng.random() < 0.5)
    return lambda picture: chosen(picture.flip(-1) if mirror else picture)


def _nothing(rng: np.random.Generator) -> Transformation:  # noqa: ARG001
    return lambda picture: picture


def _crop(rng: np.random.Generator) -> Transformation:
    area = rng.uniform(*_AREA)
    ratio = math.exp(rng.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
    across, down = rng.random(2)

    def crop(picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        wide = _side(width, math.sqrt(area * ratio))
        high = _side(height, math.sqrt(area / ratio))
        left, top = round(across * (width - wide)), round(down * (height - high))
        return picture[:, :, top : top + high, left : left + wide]

    return crop


def _reduction(rng: np.random.Generator) -> Transformation:
    scale = math.sqrt(rng.uniform(*_AREA))

    def reduce(picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        size = (_side(height, scale), _side(width, scale))
        return functional.interpolate(picture, size=size, mode="bilinear", antialias=True)

    return reduce


def _rotation(rng: np.random.Generator) -> Transformation:
    angle = float(rng.vonmises(0.0, 1.0)) / math.pi * math.radians(_DEGREES)
    cosine, sine = math.cos(angle), math.sin(angle)

    def rotate(picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        # In the grid's units both sides are 2, whatever the aspect ratio.
        matrix = [[cosine, -sine * height / width, 0.0], [sine * width / height, cosine, 0.0]]
        grid = functional.affine_grid(
            picture.new_tensor([matrix]), list(picture.shape), align_corners=False
        )
        turned: Tensor = functional.grid_sample(picture, grid, align_corners=False)
        return turned

    return rotate


def _blur(rng: np.random.Generator) -> Transformation:
    sigma = rng.uniform(*_SIGMAS)
    reach = math.ceil(3 * sigma)

    def blur(picture: Tensor) -> Tensor:
        distance = torch.arange(-reach, reach + 1, device=picture.device, dtype=picture.dtype)
        bell = torch.exp(-distance.square() / (2 * sigma**2))
        bell = (bell / bell.sum()).expand(3, 1, -1)
        padded = functional.pad(picture, (reach,) * 4, mode="replicate")
        across = functional.conv2d(padded, bell[:, :, None, :], groups=3)
        return functional.conv2d(across, bell[:, :, :, None], groups=3)

    return blur


def _light(rng: np.random.Generator) -> Transformation:
    brightness, contrast = rng.uniform(*_LIGHT, size=2)

    def relight(picture: Tensor) -> Tensor:
        brighter = picture * brightness
        mean = brighter.mean(dim=(1, 2, 3), keepdim=True)
        relit: Tensor = mean + (brighter - mean) * contrast
        return relit.clamp(0, 255)

    return relight


def _noise(rng: np.random.Generator) -> Transformation:
    deviation = rng.uniform(0, _NOISE)
    seed = int(rng.integers(2**63))

    def add(picture: Tensor) -> Tensor:
        drawn = np.random.default_rng(seed).standard_normal(picture.shape, dtype=np.float32)
        noise = torch.from_numpy(drawn).to(picture.device, non_blocking=True)
        return (picture + deviation * noise).clamp(0, 255)

    return add


def _side(pixels: int, share: float) -> int:
    return min(pixels, max(1, round(pixels * share)))
