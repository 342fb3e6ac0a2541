"""What is laid over a picture: text, emoji, stripes (paper, 4.2 and A.1)."""

import functools
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import numpy as np
from PIL import Image

from sscd.augment.augly import ops as augly_ops
from sscd.augment.augly.ops import StripeKind
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import choice, plain_color, uniform
from sscd.augment.edits.operation import EditAlone, Edited, Range, Shares, Within
from sscd.augment.overlay import EmojiOverlay, TextOverlay

_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class OverlayText(EditAlone):
    """A line of random characters in one of AugLy's fonts.

    Attributes:
        size: Height of the letters over the short side.
        opacity: 1 is opaque.
    """

    size: Shares
    opacity: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Write the line."""
        overlay = TextOverlay.draw(rng, size=self.size, opacity=self.opacity)
        white, size = replace(overlay, color=_WHITE), canvas.image.size

        def mask() -> Image.Image:
            return white.apply(Image.new("RGB", size)).convert("L")

        parameters = asdict(overlay) | {
            "characters": list(overlay.characters),
            "color": list(overlay.color),
        }
        return canvas.covered(overlay.apply(canvas.image), mask), parameters


@dataclass(frozen=True)
class OverlayEmoji(EditAlone):
    """One of AugLy's emoji.

    Attributes:
        size: Height of the emoji over the picture's height.
        opacity: 1 is opaque.
    """

    size: Shares
    opacity: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Lay the emoji over the picture."""
        overlay = EmojiOverlay.draw(rng, size=self.size, opacity=self.opacity)
        mask = functools.partial(
            augly_ops.emoji_opacity,
            canvas.image.size,
            emoji=overlay.emoji,
            height=overlay.size,
            opacity=overlay.opacity,
            x=overlay.x,
            y=overlay.y,
        )
        return canvas.covered(overlay.apply(canvas.image), mask), asdict(overlay)


@dataclass(frozen=True)
class OverlayStripes(EditAlone):
    """Parallel stripes, dashes or dots of one colour.

    Attributes:
        width: Width of a stripe over the distance from one to the next.
        density: 1 − that distance over the short side.
        angle: Degrees from the horizontal.
        opacity: 1 is opaque.
        kinds: Of lines, chosen from with equal chance.
    """

    width: Shares
    density: Annotated[Range, Within(0.0, 0.99)]
    angle: Annotated[Range, Within(-180.0, 180.0)]
    opacity: Shares
    kinds: tuple[StripeKind, ...]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Draw the stripes."""
        width, density = uniform(rng, self.width), uniform(rng, self.density)
        angle, opacity = uniform(rng, self.angle), uniform(rng, self.opacity)
        kind, color = choice(rng, self.kinds), plain_color(rng)

        def draw(image: Image.Image, paint: tuple[int, int, int]) -> Image.Image:
            return augly_ops.overlay_stripes(
                image,
                width=width,
                density=density,
                angle=angle,
                kind=kind,
                color=paint,
                opacity=opacity,
            )

        def mask() -> Image.Image:
            return draw(Image.new("RGB", canvas.image.size), _WHITE).convert("L")

        return canvas.covered(draw(canvas.image, color), mask), {
            "width": width,
            "density": density,
            "angle": angle,
            "opacity": opacity,
            "kind": kind,
            "color": list(color),
        }
