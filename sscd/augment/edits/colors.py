"""Colours: brightness, saturation, contrast, grey, filters (paper, 4.2)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from PIL import Image

from sscd.augment import operations
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import choice, uniform
from sscd.augment.edits.operation import EditAlone, Edited, Range, Within
from sscd.errors import UserError

Factors = Annotated[Range, Within(0.0, 10.0)]
Filter = Literal[
    "_1977",
    "aden",
    "brannan",
    "brooklyn",
    "clarendon",
    "earlybird",
    "gingham",
    "hudson",
    "inkwell",
    "kelvin",
    "lark",
    "lofi",
    "maven",
    "mayfair",
    "moon",
    "nashville",
    "perpetua",
    "reyes",
    "rise",
    "slumber",
    "stinson",
    "toaster",
    "valencia",
    "walden",
    "willow",
    "xpro2",
]


_CHANGES = {
    "brightness": operations.brightness,
    "contrast": operations.contrast,
    "saturation": operations.saturation,
}


@dataclass(frozen=True)
class _ByFactor(EditAlone):
    """One of the changes that a factor describes."""

    change: ClassVar[str]

    factor: Factors

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Make the change by a factor."""
        factor = uniform(rng, self.factor)
        changed = _CHANGES[self.change](canvas.image, factor=factor)
        return canvas.recolored(changed), {"factor": factor}


class Brightness(_ByFactor):
    """Brighter or darker.

    Attributes:
        factor: What every level is multiplied by.
    """

    change = "brightness"


class Contrast(_ByFactor):
    """More or less contrast.

    Attributes:
        factor: Of the distance from the mean grey.
    """

    change = "contrast"


class Saturation(_ByFactor):
    """More or less colour.

    Attributes:
        factor: Of the distance from grey.
    """

    change = "saturation"


@dataclass(frozen=True)
class ColorJitter(EditAlone):
    """Brightness, contrast and saturation, in a random order.

    Attributes:
        brightness: Factors, as in `Brightness`.
        contrast: Factors, as in `Contrast`.
        saturation: Factors, as in `Saturation`.
    """

    brightness: Factors
    contrast: Factors
    saturation: Factors

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Change all three; the parameters are in the order of their use."""
        image = canvas.image
        parameters = {}
        for name in rng.permutation(list(_CHANGES)).tolist():
            parameters[name] = uniform(rng, getattr(self, name))
            image = _CHANGES[name](image, factor=parameters[name])
        return canvas.recolored(image), parameters


@dataclass(frozen=True)
class Greyscale(EditAlone):
    """Luma in place of colour."""

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:  # noqa: ARG002
        """Take the colour away."""
        return canvas.recolored(operations.greyscale(canvas.image)), {}


@dataclass(frozen=True)
class ColorFilter(EditAlone):
    """A filter like those of Instagram, by the library pilgram.

    Attributes:
        filters: Names of pilgram's filters, chosen from with equal chance.
    """

    filters: tuple[Filter, ...]

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Apply one filter."""
        name = choice(rng, self.filters)
        return canvas.recolored(filter_colors(canvas.image, name=name)), {"filter": name}


def filter_colors(image: Image.Image, *, name: Filter) -> Image.Image:
    """Apply one of pilgram's filters to an RGB picture.

    Raises:
        UserError: pilgram cannot be imported.
    """
    try:
        import pilgram
    except ImportError as error:
        raise UserError(
            f"pilgram cannot be imported ({error}); run: pip install 'sscd[train]'"
        ) from error
    filtered: Image.Image = getattr(pilgram, name)(image)
    return filtered.convert("RGB")
