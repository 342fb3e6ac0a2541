"""Contrastive mixup and cutmix: some views of a batch take in content of another picture.

Pizzi et al., SSCD (CVPR 2022, arXiv 2202.10261), section 4, after Zhang et al., "mixup" (ICLR 2018,
arXiv 1710.09412), and Yun et al., "CutMix" (ICCV 2019, arXiv 1905.04899). There are no soft labels:
a mixed view is a copy of both its pictures, which `losses.relations` makes of their numbers.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NO_PICTURE = -1
"""As in `losses.relations`."""
_FULL = 255
"""Weights are whole 255ths, so that every device computes the same bytes."""


@dataclass(frozen=True)
class MixupConfig:
    """How many views are mixed, and how.

    Args:
        probability: Of each view to be mixed; 0 turns mixing off, the paper mixes .05.
        mixup_alpha: α of the Beta(α, α) that a view's own weight λ is drawn from; 0 for no mixup.
        cutmix_alpha: The same for the area share λ of a view's own content; 0 for no cutmix.
        switch: Probability of cutmix among the mixed, where both kinds are on.

    Raises:
        ValueError: A value out of its range, or mixing without either kind.
    """

    probability: float = 0.0
    mixup_alpha: float = 2.0
    cutmix_alpha: float = 2.0
    switch: float = 0.5

    def __post_init__(self) -> None:
        for name in ("probability", "switch"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} got {getattr(self, name)}; expected 0 to 1")
        for name in ("mixup_alpha", "cutmix_alpha"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(
                    f"{name} got {getattr(self, name)}; expected a finite number, at least 0"
                )
        if self.probability > 0 and self.mixup_alpha == self.cutmix_alpha == 0:
            raise ValueError("mixup_alpha and cutmix_alpha got 0; expected one above 0 to mix with")


class Mixed(NamedTuple):
    """Views of which some are mixed.

    Attributes:
        views: (N, 3, S, S) uint8.
        pictures: (N, 2) int64 on the views' device: a row's own picture and the one mixed in,
            `NO_PICTURE` where none of its content is there.
    """

    views: Tensor
    pictures: Tensor


class _Plan(NamedTuple):
    """For n mixed rows: within a box each keeps `weight` 255ths of itself, without it all."""

    rows: NDArray[np.int64]
    """(n,)."""
    partners: NDArray[np.int64]
    """(n,) rows of other pictures."""
    weights: NDArray[np.int64]
    """(n,), 0 to 255."""
    boxes: NDArray[np.int64]
    """(n, 4): top, bottom, left, right."""


def mix_views(
    views: Tensor, pictures: Tensor, config: MixupConfig, rng: np.random.Generator
) -> Mixed:
    """Mix some of a batch's views with unmixed views of other pictures of the batch.

    Each row is mixed with `config.probability`, by mixup (λ·own + (1−λ)·other) or cutmix (a box of
    area share 1−λ around a uniform centre, clipped at the border, shows the other). The other is
    uniform among the rows of other pictures; where the batch has none, rows stay as they are.

    Args:
        views: (N, 3, S, S) uint8, on any device; left as they are.
        pictures: (N,) int64 on the CPU, the picture number of each row.
        config: How many and how.
        rng: What every decision is drawn from.

    Raises:
        ValueError: A shape, type or device does not fit, or a picture number is negative.
    """
    if views.ndim != 4 or views.dtype != torch.uint8:
        raise ValueError(
            f"views got {tuple(views.shape)} {views.dtype}; expected (N, 3, S, S) uint8"
        )
    if pictures.shape != views.shape[:1] or pictures.device.type != "cpu":
        raise ValueError(
            f"pictures got {tuple(pictures.shape)} on {pictures.device}; "
            f"expected ({len(views)},) on the CPU"
        )
    if (pictures < 0).any():
        raise ValueError(f"pictures got {int(pictures.min())}; expected numbers from 0")
    height, width = views.shape[2:]
    own = pictures.numpy()
    plan = _draw(own, config, rng, height=height, width=width)
    content = _content(own, plan, height=height, width=width)
    mixed = _blend(views, plan) if len(plan.rows) else views
    return Mixed(mixed, content.to(views.device, non_blocking=True))


def _draw(
    pictures: NDArray[np.int64],
    config: MixupConfig,
    rng: np.random.Generator,
    *,
    height: int,
    width: int,
) -> _Plan:
    """Draw what is mixed with what, and where."""
    count = len(pictures)
    chosen = rng.random(count) < config.probability
    partners = _partners(pictures, rng)
    rows = np.flatnonzero(chosen & (partners >= 0))
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
    return _Plan(
        rows=rows,
        partners=partners[rows],
        weights=np.where(cutmix, 0, np.rint(own_share * _FULL)).astype(np.int64),
        boxes=np.where(cutmix[:, None], np.stack(edges, axis=1), whole).astype(np.int64),
    )


def _partners(pictures: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each row one of the rows of other pictures, each as likely; -1 where there are none."""
    order = np.argsort(pictures, kind="stable")
    ranked = pictures[order]
    first = np.searchsorted(ranked, pictures, side="left")
    same = np.searchsorted(ranked, pictures, side="right") - first
    others = len(pictures) - same
    drawn = rng.integers(np.maximum(others, 1))
    drawn += np.where(drawn >= first, same, 0)  # leap over the rows of the same picture
    return np.where(others > 0, order[np.where(others > 0, drawn, 0)], -1).astype(np.int64)


def _content(pictures: NDArray[np.int64], plan: _Plan, *, height: int, width: int) -> Tensor:
    """(N, 2) picture numbers of what each row shows."""
    top, bottom, left, right = plan.boxes.T
    area = (bottom - top) * (right - left)
    hidden = (plan.weights == 0) & (area == height * width)
    absent = (plan.weights == _FULL) | (area == 0)
    content = np.stack([pictures, np.full_like(pictures, NO_PICTURE)], axis=1)
    content[plan.rows[hidden], 0] = NO_PICTURE
    content[plan.rows[~absent], 1] = pictures[plan.partners[~absent]]
    return torch.from_numpy(content)


def _blend(views: Tensor, plan: _Plan) -> Tensor:
    """A copy of the views with the plan carried out."""
    rows, partners, weights, boxes = (
        torch.from_numpy(array).to(views.device, non_blocking=True) for array in plan
    )
    top, bottom, left, right = boxes[:, :, None].unbind(1)
    y, x = (torch.arange(side, device=views.device) for side in views.shape[2:])
    inside = ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None, :]
    kept = torch.where(inside, weights[:, None, None], _FULL)[:, None].int()
    own, other = (views.index_select(0, index).int() for index in (rows, partners))
    blended = (kept * own + (_FULL - kept) * other + _FULL // 2) // _FULL
    return views.index_copy(0, rows, blended.to(torch.uint8))
