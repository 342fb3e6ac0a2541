"""Mixup and cutmix of whole batches; what they are, and how often, is `augment.mixup`."""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_FULL = 255
"""Weights are whole 255ths, so that every device computes the same bytes."""


class BlendConfig(Protocol):
    """What `MixupConfig` says of mixup and cutmix."""

    @property
    def mixup_alpha(self) -> float:
        """α of mixup."""
        ...

    @property
    def cutmix_alpha(self) -> float:
        """α of cutmix."""
        ...

    @property
    def switch(self) -> float:
        """Share of cutmix."""
        ...


class Blends(NamedTuple):
    """For n mixed rows: within a box each keeps `weight` 255ths of itself, without it all."""

    rows: NDArray[np.int64]
    """(n,)."""
    partners: NDArray[np.int64]
    """(n,) rows of other pictures."""
    weights: NDArray[np.int64]
    """(n,), 0 to 255."""
    boxes: NDArray[np.int64]
    """(n, 4): top, bottom, left, right."""

    def visible(self, height: int, width: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(n,) each: whether anything of a row's own view is left, and of the other's."""
        top, bottom, left, right = self.boxes.T
        area = (bottom - top) * (right - left)
        hidden = (self.weights == 0) & (area == height * width)
        absent = (self.weights == _FULL) | (area == 0)
        return ~hidden, ~absent


def draw_blends(
    rows: NDArray[np.int64],
    partners: NDArray[np.int64],
    config: BlendConfig,
    rng: np.random.Generator,
    *,
    height: int,
    width: int,
) -> Blends:
    """Draw how rows are blended with their partners, and where.

    Args:
        rows: (n,) which rows are blended.
        partners: (N,) the partner of every row of the batch.
        config: How.
        rng: What everything is drawn from.
        height: Of a view.
        width: Of a view.
    """
    switch = 1.0 if config.mixup_alpha == 0 else 0.0 if config.cutmix_alpha == 0 else config.switch
    cutmix = rng.random(len(rows)) < switch
    own_share = np.where(
        cutmix,
        rng.beta(config.cutmix_alpha or 1.0, config.cutmix_alpha or 1.0, len(rows)),
        rng.beta(config.mixup_alpha or 1.0, config.mixup_alpha or 1.0, len(rows)),
    )
    half = np.sqrt(1 - own_share) / 2
    centre = rng.random((len(rows), 2))
    edges = [
        np.rint(np.clip(centre[:, axis] + sign * half, 0, 1) * side)
        for axis, side in enumerate((height, width))
        for sign in (-1, 1)
    ]
    whole = np.array([0, height, 0, width])
    return Blends(
        rows=rows,
        partners=partners[rows],
        weights=np.where(cutmix, 0, np.rint(own_share * _FULL)).astype(np.int64),
        boxes=np.where(cutmix[:, None], np.stack(edges, axis=1), whole).astype(np.int64),
    )


def blend(views: Tensor, blends: Blends) -> Tensor:
    """A copy of views (N, 3, H, W) uint8 with the blends carried out; themselves without any."""
    if not len(blends.rows):
        return views
    rows, partners, weights, boxes = (
        torch.from_numpy(array).to(views.device, non_blocking=True) for array in blends
    )
    top, bottom, left, right = boxes[:, :, None].unbind(1)
    y, x = (torch.arange(side, device=views.device) for side in views.shape[2:])
    inside = ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None, :]
    kept = torch.where(inside, weights[:, None, None], _FULL)[:, None].int()
    own, other = (views.index_select(0, index).int() for index in (rows, partners))
    blended = (kept * own + (_FULL - kept) * other + _FULL // 2) // _FULL
    return views.index_copy(0, rows, blended.to(torch.uint8))
