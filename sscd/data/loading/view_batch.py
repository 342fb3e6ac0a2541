"""A batch of training views, and how it is put together from the workers' chunks."""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from sscd.data.loading.datasets import Unreadable


class ViewBatch(NamedTuple):
    """Views of B training pictures, R = V + L + U of each.

    Attributes:
        views: (B, V, 3, S, S) uint8 RGB.
        contents: (B, R, C) int64, the numbers of the pictures that each view shows, of the V first,
            then of the L local ones, then of the unedited one; `NO_PICTURE` where it shows fewer
            than C.
        unreadable: What could not be read; each such picture is replaced by one that could.
        photometric: (B, R, P) what is still to be done to the pixels (`photometric.pack`), on the
            CPU; None where the workers have done it.
        epoch: Of the data set.
        local: (B, L, 3, s, s) uint8 RGB, smaller views; None where there are none.
        unedited: (B, 1, 3, S, S) uint8 RGB, the pictures as they are; None where they are not
            asked for (U = 0).
    """

    views: Tensor
    contents: Tensor
    unreadable: tuple[Unreadable, ...]
    photometric: Tensor | None = None
    epoch: int = 0
    local: Tensor | None = None
    unedited: Tensor | None = None

    @property
    def pixels(self) -> dict[str, Tensor]:
        """Those of its tensors that hold pixels, by their names."""
        named = {"views": self.views, "local": self.local, "unedited": self.unedited}
        return {name: part for name, part in named.items() if part is not None}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All its tensors, by their names."""
        left = {} if self.photometric is None else {"photometric": self.photometric}
        return {"contents": self.contents, **left, **self.pixels}

    @property
    def copies(self) -> int:
        """Views of a picture that are copies of one another, V + L."""
        return self.contents.shape[1] - (self.unedited is not None)

    @property
    def negative_only(self) -> Tensor | None:
        """(B·R,) bool where the contents lie, the rows of unedited pictures; None for none."""
        if self.unedited is None:
            return None
        pictures, rows = self.contents.shape[:2]
        return (torch.arange(rows, device=self.contents.device) == self.copies).repeat(pictures)

    def to(self, device: torch.device) -> "ViewBatch":
        """The batch with its pixels on a device; what the host reads of it stays."""
        moved = {name: part.to(device, non_blocking=True) for name, part in self.pixels.items()}
        return self._replace(**moved)  # type: ignore[arg-type]


def join_views(chunks: Iterable[ViewBatch], pictures: int, *, pin: bool = False) -> ViewBatch:
    """Put the chunks of a batch together, each as it comes.

    Args:
        chunks: In order, of the same epoch, with `pictures` pictures together.
        pictures: B.
        pin: Whether to put them into pinned memory, from which a GPU copies while it computes.

    Raises:
        ValueError: There are more or fewer pictures.
    """
    parts = iter(chunks)
    first = next(parts, None)
    if first is None:
        raise ValueError(f"chunks got none; expected {pictures} pictures")
    if len(first.views) == pictures and not pin:
        return first
    joined = {name: _room(part, pictures, pin=pin) for name, part in first.tensors.items()}
    unreadable: list[Unreadable] = []
    filled = 0
    for chunk in itertools.chain([first], parts):
        end = filled + len(chunk.views)
        if end > pictures:
            break
        tensors = chunk.tensors
        for name, whole in joined.items():
            whole[filled:end] = tensors[name]
        unreadable += chunk.unreadable
        filled = end
    if filled != pictures:
        raise ValueError(f"chunks got more or fewer than {pictures} pictures")
    return first._replace(unreadable=tuple(unreadable), **joined)  # type: ignore[arg-type]


def _room(part: Tensor, rows: int, *, pin: bool) -> Tensor:
    return torch.empty((rows, *part.shape[1:]), dtype=part.dtype, pin_memory=pin)
