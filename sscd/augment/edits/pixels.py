"""What happens to pixels in their places: blur, JPEG, mosaics, dithering, noise (4.2 and A.1)."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.augly import mends as augly_mends
from sscd.augment.augly import ops as augly_ops
from sscd.augment.augly.ops import EdgeFilter
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import choice, integer, seed, uniform
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    IntegerRange,
    Shares,
    Within,
)


@dataclass(frozen=True)
class Blur(EditAlone):
    """Gaussian blur.

    Attributes:
        radius: Standard deviation over the short side.
    """

    radius: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Blur; the radius is recorded in pixels."""
        radius = uniform(rng, self.radius) * min(canvas.image.size)
        blurred = operations.gaussian_blur(canvas.image, radius=radius)
        return canvas.recolored(blurred), {"radius": radius}


@dataclass(frozen=True)
class PaletteDithering(EditAlone):
    """Few colours, chosen for the picture, with Floyd-Steinberg dithering.

    AugLy's `convert_color` hands dithering to Pillow for the fixed "web" palette alone; with a
    palette of the picture's own colours, Pillow dithers only in this second step.

    Attributes:
        colors: Of the palette.
    """

    colors: Annotated[IntegerRange, Within(2, 256)]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Choose a palette by median cut, and dither."""
        colors = integer(rng, self.colors)
        palette = canvas.image.quantize(colors, method=Image.Quantize.MEDIANCUT)
        dithered = canvas.image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        return canvas.recolored(dithered.convert("RGB")), {"colors": colors}


@dataclass(frozen=True)
class JpegQuality(EditAlone):
    """Encoding as a JPEG.

    Attributes:
        quality: Of the encoder, 0 to 100.
    """

    quality: Annotated[IntegerRange, Within(0, 100)]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Encode and decode."""
        quality = integer(rng, self.quality)
        encoded = augly_ops.encode_jpeg(canvas.image, quality=quality)
        return canvas.recolored(encoded), {"quality": quality}


@dataclass(frozen=True)
class EdgeEnhance(EditAlone):
    """Stressed edges.

    Attributes:
        filters: Pillow's kernels, chosen from with equal chance.
    """

    filters: tuple[EdgeFilter, ...]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Filter once."""
        kind = choice(rng, self.filters)
        return canvas.recolored(augly_ops.enhance_edges(canvas.image, kind=kind)), {"filter": kind}


@dataclass(frozen=True)
class Pixelization(EditAlone):
    """A mosaic of squares of one colour each.

    AugLy's `pixelization` resizes by Pillow's default, bicubic since Pillow 7, and so only blurs.

    Attributes:
        blocks: Squares along the short side.
    """

    blocks: Annotated[IntegerRange, Within(1, 10_000)]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Average over squares; blocks as small as pixels leave the picture as it is."""
        blocks = integer(rng, self.blocks)
        image = canvas.image
        scale = min(1.0, blocks / min(image.size))
        coarse = tuple(max(1, round(side * scale)) for side in image.size)
        mosaic = image.resize((coarse[0], coarse[1]), Image.Resampling.BOX)
        squares = mosaic.resize(image.size, Image.Resampling.NEAREST)
        return canvas.recolored(squares), {"blocks": blocks}


@dataclass(frozen=True)
class PixelShuffling(EditAlone):
    """Some pixels exchanged among each other, all over the picture.

    Attributes:
        share: Of the pixels.
    """

    share: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Exchange pixels; those that move are lost to the source."""
        share, number = uniform(rng, self.share), seed(rng)
        shuffled = augly_ops.shuffle_pixels(canvas.image, share=share, seed=number)
        return canvas.scattered(shuffled, share), {"share": share, "seed": number}


@dataclass(frozen=True)
class RandomNoise(EditAlone):
    """Gaussian noise.

    Attributes:
        deviation: Standard deviation, where white is 1.
    """

    deviation: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Add noise."""
        deviation, number = uniform(rng, self.deviation), seed(rng)
        noisy = augly_ops.random_noise(canvas.image, deviation=deviation, seed=number)
        return canvas.recolored(noisy), {"deviation": deviation, "seed": number}


@dataclass(frozen=True)
class Legofy(EditAlone):
    """A picture built of toy bricks (paper, A.1).

    Attributes:
        bricks: Along the short side.
    """

    bricks: Annotated[IntegerRange, Within(1, 10_000)]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Build it; the brick's side is recorded in pixels."""
        bricks = integer(rng, self.bricks)
        brick = max(1, round(min(canvas.image.size) / bricks))
        built = augly_mends.legofy(canvas.image, brick=brick)
        return canvas.recolored(built), {"bricks": bricks, "brick": brick}
