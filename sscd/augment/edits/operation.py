"""What an operation of the catalogue is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Canvas

Range = tuple[float, float]
"""Lowest and highest value, drawn from uniformly where nothing else is said."""

IntegerRange = tuple[int, int]
"""Lowest and highest whole number, both of them drawn."""


@dataclass(frozen=True)
class Within:
    """Bounds of what a field's numbers may be, both inclusive: `Annotated[Range, Within(0, 1)]`.

    Tables are held against them when they are read.
    """

    low: float
    high: float


Shares = Annotated[Range, Within(0.0, 1.0)]
Probability = Annotated[float, Within(0.0, 1.0)]

Parameters = Mapping[str, object]
"""What was drawn, as plain JSON values, enough to see what was done and how strongly."""

Edited = tuple[Canvas, Parameters]


class SecondaryPictures(Protocol):
    """Other pictures, to be laid under or beside the source; never references (paper, 4.2)."""

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        """Draw one: its id and the RGB picture."""
        ...


class Operation(Protocol):
    """One operation with its ranges.

    Implementations are frozen dataclasses whose fields are the ranges, without defaults: tables
    (`configs/edits/*.yaml`) give every one. A field is a `Range`, an `IntegerRange`, a number, or
    a tuple of strings to choose from, with bounds (`Within`) where not every value will do.

    They draw from `rng` alone, whatever the picture shows, work on pictures of any size from 1×1
    on, and leave the canvas they are given as it is.
    """

    needs_secondary: ClassVar[bool]

    def __call__(
        self, canvas: Canvas, rng: np.random.Generator, secondary: SecondaryPictures | None
    ) -> Edited:
        """The edited canvas, and what was drawn."""
        ...


class EditAlone(ABC):
    """An operation that needs no other picture: what most of the catalogue is."""

    needs_secondary: ClassVar[bool] = False

    def __call__(
        self,
        canvas: Canvas,
        rng: np.random.Generator,
        secondary: SecondaryPictures | None = None,  # noqa: ARG002
    ) -> Edited:
        """The edited canvas, and what was drawn."""
        return self.edit(canvas, rng)

    @abstractmethod
    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """The edited canvas, and what was drawn."""
