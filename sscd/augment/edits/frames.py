"""The picture in a frame: a social network's page, a meme's caption (paper, 4.2)."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.augly import mends as augly_mends
from sscd.augment.augly import screenshot as augly_screenshot
from sscd.augment.augly.screenshot import ScreenshotTemplate
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import choice, happens, uniform
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    Probability,
    Shares,
    Within,
)

MemeFont = Literal["Impact.ttf", "Raleway-ExtraBold.ttf"]

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True)
class IntoScreenshot(EditAlone):
    """Shown in the page of a social network (paper, 4.2).

    Attributes:
        templates: AugLy's pages, chosen from with equal chance.
        growth: Largest area of the result over the picture's; beyond it, both are made smaller.
    """

    templates: tuple[ScreenshotTemplate, ...]
    growth: Annotated[float, Within(1.0, 10.0)]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Put the picture into a page."""
        template, size = choice(rng, self.templates), canvas.image.size
        pixels = augly_screenshot.screenshot_pixels(size, template=template, growth=self.growth)
        shown = augly_screenshot.overlay_onto_screenshot(
            canvas.image, template=template, max_pixels=pixels
        )
        _, box = augly_screenshot.screenshot_box(size, template=template, max_pixels=pixels)
        left, top, right, bottom = box
        cells = Image.new("I", shown.size, 0)
        resized = operations.resize(canvas.cells, width=right - left, height=bottom - top)
        cells.paste(resized, (left, top))
        return replace(canvas, image=shown, cells=cells), {"template": template, "box": list(box)}


@dataclass(frozen=True)
class MemeFrame(EditAlone):
    """A caption above the picture, as on a meme.

    Attributes:
        height: Of the caption over the picture's height.
        dark: Probability of white letters on black; else black on white.
        fonts: AugLy's, chosen from with equal chance.
        captions: Texts, chosen from with equal chance.
    """

    height: Shares
    dark: Probability
    fonts: tuple[MemeFont, ...]
    captions: tuple[str, ...]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Add the caption."""
        height = max(1, round(uniform(rng, self.height) * canvas.image.height))
        text, font = choice(rng, self.captions), choice(rng, self.fonts)
        paper, ink = (_BLACK, _WHITE) if happens(rng, self.dark) else (_WHITE, _BLACK)
        framed = augly_mends.meme_format(
            canvas.image,
            text=text,
            font=font,
            caption_height=height,
            text_color=ink,
            background=paper,
        )
        return canvas.pasted_onto(framed, x=0, y=height), {
            "height": height,
            "text": text,
            "font": font,
            "color": list(ink),
            "background": list(paper),
        }
