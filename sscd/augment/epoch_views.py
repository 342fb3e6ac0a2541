"""The views of one epoch: who draws each of them, and what is drawn for a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from sscd.augment.edits.operation import SecondaryPictures
from sscd.augment.geometry import Geometry
from sscd.augment.photometric import Photometric
from sscd.augment.recipes import Plan, Recipe, ViewPlan


class ViewMaker(Protocol):
    """Draws views of one size."""

    @property
    def size(self) -> int:
        """Side of the views, pixels."""
        ...

    def plan(self, picture: tuple[int, int], rng: np.random.Generator) -> Plan:
        """Draw one view of a picture of this width and height."""
        ...


@dataclass(frozen=True)
class SharedOut:
    """Some views by one recipe, the others by another.

    Attributes:
        recipe: Makes `share` of the views.
        other: Makes the rest; of the same size.
        share: 0 to 1.
    """

    recipe: Recipe
    other: Recipe
    share: float

    @property
    def size(self) -> int:
        """Side of the views, pixels."""
        return self.recipe.size

    def plan(self, picture: tuple[int, int], rng: np.random.Generator) -> Plan:
        """Draw one view of a picture of this width and height."""
        chosen = self.recipe if rng.random() < self.share else self.other
        return chosen.plan(picture, rng)


@dataclass(frozen=True)
class PlannedView:
    """One view before a pixel is touched.

    Attributes:
        plan: What was drawn for it.
        size: Its side, pixels.
    """

    plan: Plan
    size: int

    @property
    def reduction(self) -> float:
        """By how much the picture may be shrunk without this view being enlarged."""
        return self.plan.reduction(self.size)

    def apply(
        self,
        picture: Image.Image,
        *,
        others: SecondaryPictures | None = None,
        finished: bool = True,
    ) -> Image.Image:
        """The view, RGB (size, size).

        Args:
            picture: RGB; the picture this was planned for, or one decoded at a reduced scale.
            others: Pictures that it may show as well.
            finished: Whether with what comes after the crop.
        """
        view = self.plan.apply(picture, size=self.size, others=others)
        return self.plan.photometric.apply(view) if finished else view


@dataclass(frozen=True)
class EpochViews:
    """The views of each picture in one epoch.

    Attributes:
        views: Who draws each of the V views; they are of one size.
        local: Who draws each of the L local views; they are of another.
        unedited: Whether the unedited picture, at the size of the views, comes with them.
    """

    views: tuple[ViewMaker, ...]
    local: tuple[ViewMaker, ...] = ()
    unedited: bool = False

    @property
    def size(self) -> int:
        """Side of the V views, pixels."""
        return self.views[0].size

    @property
    def pixels(self) -> int:
        """Of all views of a picture together."""
        sizes = [maker.size for maker in (*self.views, *self.local)]
        sizes += [self.size] * self.unedited
        return sum(size**2 for size in sizes)

    @property
    def counts(self) -> tuple[int, int, int]:
        """V, L, and whether there is an unedited picture."""
        return len(self.views), len(self.local), int(self.unedited)

    def plans(
        self, picture: tuple[int, int], stream: Callable[[int], np.random.Generator]
    ) -> list[PlannedView]:
        """Draw the views of a picture: the V, the L local ones, the unedited one.

        Args:
            picture: Its width and height, pixels.
            stream: The number of a view → its own stream.
        """
        plans = [
            PlannedView(maker.plan(picture, stream(view)), maker.size)
            for view, maker in enumerate((*self.views, *self.local))
        ]
        if self.unedited:
            whole = Geometry(picture=picture, box=(0, 0, *picture))
            plans.append(PlannedView(ViewPlan(whole, Photometric()), self.size))
        return plans
