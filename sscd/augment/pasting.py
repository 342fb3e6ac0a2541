"""Overlay and collage: a view takes in another picture whole, each of the two shrunk into a box.

Both are edits of DISC21 (Douze et al. 2021, arXiv 2106.09672, 4.2 and A.1). Shrinking averages over
areas, in whole numbers that float32 holds exactly, so that every device computes the same bytes.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_COLLAGE_SHARE = (1 / 3, 2 / 3)
"""Of the side that a collage's first picture takes: neither is squeezed to less than a third."""
_AT_ONCE = 256
"""Views that are shrunk at once: half a GB at 224 px."""


class Layout(NamedTuple):
    """For n rows: their own view in one box, on top of another's view in another box.

    Attributes:
        rows: (n,) int64.
        partners: (n,) int64, rows of other pictures.
        own: (n, 4) int64: top, bottom, left, right; the first row inside and the first beyond.
        other: (n, 4) the same of the partner.
    """

    rows: NDArray[np.int64]
    partners: NDArray[np.int64]
    own: NDArray[np.int64]
    other: NDArray[np.int64]

    def visible(self, height: int, width: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(n,) each: whether anything of a row's own view is left, and of the other's.

        Of a view of one pixel one of them is not.
        """
        own, other = (
            (box[:, 1] - box[:, 0]) * (box[:, 3] - box[:, 2]) for box in (self.own, self.other)
        )
        return own > 0, (other > 0) & (own < height * width)


def draw_overlays(
    rows: NDArray[np.int64],
    partners: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    sides: tuple[float, float],
    height: int,
    width: int,
) -> Layout:
    """Each row's own view shrunk, at a uniform place upon its partner's.

    Args:
        rows: (n,).
        partners: (n,).
        rng: What sizes and places are drawn from.
        sides: Lowest and highest share of the view's side, uniform between them.
        height: Of a view.
        width: Of a view.
    """
    share = rng.uniform(*sides, len(rows))
    size = np.rint(share[:, None] * (height, width)).astype(np.int64)
    start = rng.integers((height, width) - size + 1)
    own = np.stack([start, start + size], axis=2).reshape(-1, 4)
    whole = np.tile(np.array([0, height, 0, width]), (len(rows), 1))
    return Layout(rows, partners, own, whole)


def draw_collages(
    rows: NDArray[np.int64],
    partners: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    height: int,
    width: int,
) -> Layout:
    """Each row's own view beside, above or below its partner's, one side of both squeezed.

    Args:
        rows: (n,).
        partners: (n,).
        rng: What the direction, the order and the sizes are drawn from.
        height: Of a view.
        width: Of a view.
    """
    upright, own_first = rng.random((2, len(rows))) < 0.5
    share = rng.uniform(*_COLLAGE_SHARE, len(rows))
    side = np.where(upright, height, width)
    cut = np.clip(np.rint(share * side), 1, side - 1).astype(np.int64)
    none, end = np.zeros_like(cut), np.where(upright, width, height)  # of the side not squeezed
    first, second = (
        np.where(
            upright[:, None],
            np.stack([start, stop, none, end], axis=1),
            np.stack([none, end, start, stop], axis=1),
        )
        for start, stop in ((none, cut), (cut, side))
    )
    order = own_first[:, None]
    return Layout(rows, partners, np.where(order, first, second), np.where(order, second, first))


def paste(views: Tensor, originals: Tensor, layout: Layout) -> Tensor:
    """A copy of the views with the layout's rows made anew; themselves without any.

    Args:
        views: (N, 3, H, W) uint8.
        originals: (N, 3, H, W) uint8, what the rows are made of.
        layout: Which rows, and how.
    """
    if not len(layout.rows):
        return views
    rows, partners, own, other = (
        torch.from_numpy(array).to(views.device, non_blocking=True) for array in layout
    )
    made = []
    for start in range(0, len(rows), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        ours, theirs = (originals.index_select(0, which[some]) for which in (rows, partners))
        made.append(_paste(ours, theirs, own[some], other[some]))
    return views.index_copy(0, rows, torch.cat(made))


def _paste(views: Tensor, others: Tensor, own: Tensor, other: Tensor) -> Tensor:
    y, x = (torch.arange(side, device=views.device) for side in views.shape[2:])
    top, bottom, left, right = own[:, :, None].unbind(1)
    inside = ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None, :]
    return torch.where(inside[:, None], _shrink(views, own), _shrink(others, other))


def _shrink(views: Tensor, boxes: Tensor) -> Tensor:
    """Views averaged into their boxes, uint8; 0 outside."""
    top, bottom, left, right = boxes.unbind(1)
    height, width = views.shape[2:]
    with torch.autocast(views.device.type, enabled=False):
        down = _overlaps(top, bottom, height)[:, None] @ views.float()
        across = _overlaps(left, right, width)[:, None].mT
        return _rounded(_rounded(down, height).float() @ across, width)


def _overlaps(first: Tensor, last: Tensor, side: int) -> Tensor:
    """How much of each pixel of a side (n, side, side) falls on which one before shrinking.

    In units that make all whole: a pixel before is as long as the box, one after as long as the
    side. Each row sums to `side` inside the box, and to 0 outside. TensorFloat-32 is exact to 2048.
    """
    place = torch.arange(side, device=first.device)
    size = (last - first)[:, None, None]
    before = place * size
    after = ((place - first[:, None]) * side)[:, :, None]
    end = torch.minimum(after + side, before + size)
    return (end - torch.maximum(after, before)).clamp(min=0).float()


def _rounded(sums: Tensor, side: int) -> Tensor:
    """Sums over `side` units as means, halves upwards."""
    return ((sums.int() + side // 2) // side).to(torch.uint8)
