"""What editors did to a picture's salient part: circle it, cut it out, blur everything else."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from PIL import Image, ImageOps

from sscd.augment.backgrounds import draw_background
from sscd.augment.edits.canvas import Canvas, Fill
from sscd.augment.edits.draws import happens, seed, uniform
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    Probability,
    Range,
    SecondaryPictures,
    Shares,
    Within,
)
from sscd.augment.edits.pen import draw_ink, ellipse_path, ink_mask, lay_ink
from sscd.augment.edits.saliency import find_salient_part
from sscd.augment.operations import gaussian_blur


@dataclass(frozen=True)
class CircleSalient(EditAlone):
    """A line drawn by hand around the salient part (paper, figure 4).

    Attributes:
        share: The salient part's area over the picture's.
        margin: The ellipse's axes over the sides of the part's box.
        pen: The pen's width over the short side.
        turns: How often the pen goes round.
        wobble: Standard deviation of the ellipse's radius over the radius.
        opacity: Of the ink.
    """

    share: Shares
    margin: Annotated[Range, Within(0.1, 5.0)]
    pen: Shares
    turns: Annotated[Range, Within(0.1, 10.0)]
    wobble: Annotated[Range, Within(0.0, 0.5)]
    opacity: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Circle the salient part."""
        share, margin = uniform(rng, self.share), uniform(rng, self.margin)
        pen = uniform(rng, self.pen) * min(canvas.image.size)
        turns, wobble = uniform(rng, self.turns), uniform(rng, self.wobble)
        opacity, color = uniform(rng, self.opacity), draw_ink(rng)
        stroke_seed = seed(rng)
        box = find_salient_part(canvas.image, share=share).box
        left, top, right, bottom = box
        center = ((left + right) / 2, (top + bottom) / 2)
        radii = (margin * (right - left) / 2, margin * (bottom - top) / 2)
        path = ellipse_path(
            np.random.default_rng(stroke_seed),
            center=center,
            radii=radii,
            turns=turns,
            wobble=wobble,
        )
        ink = ink_mask(canvas.image.size, [path], width=pen)
        strengths = {"share": share, "margin": margin, "pen": pen, "turns": turns}
        return lay_ink(canvas, ink, color=color, opacity=opacity), {
            **strengths,
            "wobble": wobble,
            "opacity": opacity,
            "color": list(color),
            "box": list(box),
            "seed": stroke_seed,
        }


@dataclass(frozen=True)
class PasteSalient:
    """The salient part cut out and pasted onto something else (paper, figure 4).

    What it is pasted onto is a secondary picture where there are any, else a drawn background; it
    has the size of the picture that the part was cut from.

    Attributes:
        share: The salient part's area over the picture's.
        outlined: How often it is cut along its outline, rather than as a rectangle.
        size: The cut-out's larger extent over the background's, of width and height.
        angle: By which it is turned, degrees anticlockwise.
    """

    needs_secondary: ClassVar[bool] = False

    share: Shares
    outlined: Probability
    size: Annotated[Range, Within(0.05, 1.0)]
    angle: Annotated[Range, Within(-180.0, 180.0)]

    def __call__(
        self, canvas: Canvas, rng: np.random.Generator, secondary: SecondaryPictures | None
    ) -> Edited:
        """Cut out the salient part and paste it elsewhere."""
        width, height = canvas.image.size
        share, outlined = uniform(rng, self.share), happens(rng, self.outlined)
        size, angle = uniform(rng, self.size), uniform(rng, self.angle)
        shift_x, shift_y = rng.random(2).tolist()
        if secondary is None:
            background, description = draw_background(rng, width=width, height=height)
        else:
            name, picture = secondary.pick(rng)
            background, description = ImageOps.fit(picture, (width, height)), {"secondary": name}
        part = find_salient_part(canvas.image, share=share)
        mask = part.mask if outlined else Image.new("L", (width, height), 255)
        left, top, right, bottom = part.box
        zoom = size * min(width / (right - left), height / (bottom - top))
        cut_size = (max(1, round(zoom * (right - left))), max(1, round(zoom * (bottom - top))))

        def cut(picture: Image.Image) -> Image.Image:
            exact = picture.mode == "I"
            smooth = Image.Resampling.NEAREST if exact else Image.Resampling.BICUBIC
            turn = Image.Resampling.NEAREST if exact else Image.Resampling.BILINEAR
            return picture.crop(part.box).resize(cut_size, smooth).rotate(angle, turn, expand=True)

        mask = cut(mask)
        x, y = (
            round(shift * (whole - side))
            for shift, whole, side in zip(
                (shift_x, shift_y), (width, height), mask.size, strict=True
            )
        )

        def move(picture: Image.Image, fill: Fill) -> Image.Image:
            exact = picture.mode == "I"
            result = Image.new("I", background.size, fill) if exact else background.copy()
            result.paste(cut(picture), (x, y), _halves(mask) if exact else mask)
            return result

        drawn = {"share": share, "outlined": outlined, "box": list(part.box), "angle": angle}
        placed = {"width": cut_size[0], "height": cut_size[1], "x": x, "y": y}
        return canvas.moved(move), {**drawn, **placed, "background": description}


@dataclass(frozen=True)
class KeepSalientSharp(EditAlone):
    """Everything but the salient part blurred (paper, figure 4).

    Attributes:
        share: The salient part's area over the picture's.
        radius: Standard deviation of the blur over the short side.
    """

    share: Shares
    radius: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Blur what is not salient."""
        share = uniform(rng, self.share)
        radius = uniform(rng, self.radius) * min(canvas.image.size)
        part = find_salient_part(canvas.image, share=share)
        blurred = gaussian_blur(canvas.image, radius=radius)
        image = Image.composite(canvas.image, blurred, part.mask)
        return canvas.recolored(image), {"share": share, "radius": radius, "box": list(part.box)}


def _halves(mask: Image.Image) -> Image.Image:
    return mask.point([255 * (level >= 128) for level in range(256)])
