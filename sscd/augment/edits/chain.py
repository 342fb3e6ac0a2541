"""A chain of operations drawn from a table, bounded so that the source can still be recognised."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.operation import Operation, Parameters, SecondaryPictures

# After so many draws that would erase the source, an operation is left out.
_ATTEMPTS = 8


@dataclass(frozen=True)
class EditTable:
    """Operations, how often and how many of them are chained, and what must survive.

    Attributes:
        name: The table's name.
        chain: Number of operations → probability; adds up to 1.
        operations: Name → operation.
        weights: Name → weight in the draw, above 0; an operation is drawn once in a chain.
        first: Operations that come before the others whenever they are drawn.
        minimum_surviving_area: Least share of the source's area that a copy must show.
        minimum_share_of_picture: Least share of the copy's own pixels that must show the source:
            so small may it become under and beside other pictures.
        minimum_contrast: Least standard deviation of grey levels over what is seen of the source,
            or half of the source's own where that is less.
    """

    name: str
    chain: Mapping[int, float]
    operations: Mapping[str, Operation]
    weights: Mapping[str, float]
    first: tuple[str, ...] = ()
    minimum_surviving_area: float = 0.0
    minimum_share_of_picture: float = 0.0
    minimum_contrast: float = 0.0

    @property
    def needs_secondary(self) -> bool:
        """Whether an operation asks for other pictures."""
        return any(operation.needs_secondary for operation in self.operations.values())


@dataclass(frozen=True)
class AppliedEdit:
    """One operation as it was applied; the parameters are plain JSON values."""

    name: str
    parameters: Parameters


@dataclass(frozen=True)
class EditedPicture:
    """An edited copy.

    Attributes:
        image: RGB.
        operations: What was done, in order.
        surviving_area: Share of the source's area that is seen in the copy, in [0, 1].
        share_of_picture: Share of the copy's own pixels that show the source, in [0, 1].
        visible_contrast: Standard deviation of grey levels over what is seen of the source.
        dropped: Operations that were drawn and left out, since each of eight draws of their
            parameters would have erased the source.
    """

    image: Image.Image
    operations: tuple[AppliedEdit, ...]
    surviving_area: float
    share_of_picture: float
    visible_contrast: float
    dropped: tuple[str, ...] = ()


def edit_picture(
    image: Image.Image,
    table: EditTable,
    rng: np.random.Generator,
    *,
    secondary: SecondaryPictures | None = None,
) -> EditedPicture:
    """Make an edited copy of a picture (DISC21 paper, section 4.2 and appendix A).

    Args:
        image: RGB picture of any size. It is left as it is.
        table: What may be done.
        rng: The copy's own random stream.
        secondary: Pictures to lay under or beside it, for tables that ask for them.

    Raises:
        ValueError: The picture is not RGB, or the table asks for other pictures and gets none.
    """
    if table.needs_secondary and secondary is None:
        raise ValueError(f"secondary got None; expected pictures, as table {table.name} uses them")
    canvas = Canvas.of(image)
    least_contrast = min(table.minimum_contrast, canvas.visible_contrast / 2)
    applied: list[AppliedEdit] = []
    dropped: list[str] = []
    for name in draw_names(table, rng):
        for _ in range(_ATTEMPTS):
            edited, parameters = table.operations[name](canvas, rng, secondary)
            if (
                edited.surviving_area >= table.minimum_surviving_area
                and edited.share_of_picture >= table.minimum_share_of_picture
                and edited.visible_contrast >= least_contrast
            ):
                canvas = edited
                applied.append(AppliedEdit(name, parameters))
                break
        else:
            dropped.append(name)
    return EditedPicture(
        image=canvas.image,
        operations=tuple(applied),
        surviving_area=canvas.surviving_area,
        share_of_picture=canvas.share_of_picture,
        visible_contrast=canvas.visible_contrast,
        dropped=tuple(dropped),
    )


def draw_names(table: EditTable, rng: np.random.Generator) -> list[str]:
    """Draw which operations are chained, in their order.

    Args:
        table: What may be done.
        rng: Source of randomness.
    """
    count = int(rng.choice(list(table.chain), p=list(table.chain.values())))
    weights = np.array([table.weights[name] for name in table.operations])
    count = min(count, len(weights))
    chosen = rng.choice(
        list(table.operations), size=count, replace=False, p=weights / weights.sum()
    )
    return sorted(chosen.tolist(), key=lambda name: name not in table.first)
