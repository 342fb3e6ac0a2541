"""The settings of the recipe `edits`."""

import dataclasses
import functools
from dataclasses import dataclass

from sscd.augment.edits.chain import EditTable
from sscd.augment.edits.fields import FieldError
from sscd.augment.edits.table import checked_chain, load_table, without


@dataclass(frozen=True)
class EditsConfig:
    """Settings of the recipe `edits`; they change nothing of the others.

    Attributes:
        table: The table of edits: the name of one that comes with sscd, or a YAML file. What it
            says must survive is asked of the view; what is laid over the source does not count.
        leave_out: Operations of the table that are not used.
        chain: Number of chained operations → probability; null for the table's.
        share: Share of the views that are edited; the others are cropped alone.
        crop: Share of the views that are cropped (`crop_scale`, `crop_ratio`), of the edited ones.
        crop_first: How many of these are cropped before the edits, and not after them.
        detail: Short side of the picture that is edited over the view's side; smaller pictures are
            not enlarged. More is slower, and sharper where much is cut away.
        others: So many training pictures, others in each epoch, are laid under and beside views.
            Each worker keeps them in memory, shrunk to the view's side.

    Raises:
        ValueError: A value out of its range.
    """

    table: str = "training"
    leave_out: tuple[str, ...] = ()
    chain: dict[int, float] | None = None
    share: float = 1.0
    crop: float = 1.0
    crop_first: float = 0.5
    detail: float = 1.5
    others: int = 1024

    def __post_init__(self) -> None:
        for name in ("share", "crop", "crop_first"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} got {getattr(self, name)}; expected 0 to 1")
        if not 1 <= self.detail <= 8:
            raise ValueError(f"detail got {self.detail}; expected 1 to 8")
        if self.others < 1:
            raise ValueError(f"others got {self.others}; expected at least 1")
        if self.chain is not None:
            try:
                checked_chain(self.chain)
            except FieldError as error:
                raise ValueError(str(error)) from error

    def load(self) -> EditTable:
        """The table as these settings have it.

        Raises:
            UserError: There is no such table, it is wrong, or it lacks an operation to leave out.
        """
        table = without(_table(self.table), self.leave_out)
        return table if self.chain is None else dataclasses.replace(table, chain=self.chain)


@functools.lru_cache(maxsize=8)
def _table(name: str) -> EditTable:
    return load_table(name)
