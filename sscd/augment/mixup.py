"""Contrastive mixup, cutmix, overlay and collage: some views take in content of another picture.

Pizzi et al., SSCD (CVPR 2022, arXiv 2202.10261), section 4, after Zhang et al., "mixup" (ICLR 2018,
arXiv 1710.09412), and Yun et al., "CutMix" (ICCV 2019, arXiv 1905.04899); overlay and collage are
ours (`augment.pasting`). There are no soft labels: a mixed view is a copy of both its pictures,
which `losses.relations` makes of their numbers.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sscd.augment.blending import blend, draw_blends
from sscd.augment.pasting import Layout, draw_collages, draw_overlays, paste

NO_PICTURE = -1
"""As in `losses.relations`."""
_ROUNDING = 1e-9
"""What a sum of shares may miss 1 by."""


@dataclass(frozen=True)
class MixupConfig:
    """How many views are mixed, and how.

    Args:
        probability: Of each view to be mixed by mixup or cutmix; the paper mixes .05.
        mixup_alpha: α of the Beta(α, α) that a view's own weight λ is drawn from; 0 for no mixup.
        cutmix_alpha: The same for the area share λ of a view's own content; 0 for no cutmix.
        switch: Probability of cutmix among these, where both kinds are on.
        overlay: Probability of each view to be shrunk and pasted onto a view of another picture.
        overlay_side: Lowest and highest share of the side that it is shrunk to.
        collage: Probability of each view to stand beside, above or below one of another picture;
            each takes a third to two thirds of the side that they share.

    Raises:
        ValueError: A value out of its range, or mixing without either kind.
    """

    probability: float = 0.0
    mixup_alpha: float = 2.0
    cutmix_alpha: float = 2.0
    switch: float = 0.5
    overlay: float = 0.0
    overlay_side: tuple[float, float] = (0.3, 0.8)
    collage: float = 0.0

    def __post_init__(self) -> None:
        for name in ("probability", "switch", "overlay", "collage"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} got {getattr(self, name)}; expected 0 to 1")
        if self.probability + self.overlay + self.collage > 1 + _ROUNDING:
            raise ValueError(
                f"probability + overlay + collage got {self.probability} + {self.overlay} + "
                f"{self.collage}; expected at most 1, since a view is mixed once"
            )
        if len(self.overlay_side) != 2 or not (
            0.05 <= self.overlay_side[0] <= self.overlay_side[1] <= 0.95
        ):
            raise ValueError(
                f"overlay_side got {list(self.overlay_side)}; expected two rising shares of the "
                "side, 0.05 to 0.95"
            )
        for name in ("mixup_alpha", "cutmix_alpha"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(
                    f"{name} got {getattr(self, name)}; expected a finite number, at least 0"
                )
        if self.probability > 0 and self.mixup_alpha == self.cutmix_alpha == 0:
            raise ValueError("mixup_alpha and cutmix_alpha got 0; expected one above 0 to mix with")

    @property
    def mixes(self) -> bool:
        """Whether any view is mixed."""
        return max(self.probability, self.overlay, self.collage) > 0


class Mixed(NamedTuple):
    """Views of which some are mixed.

    Attributes:
        views: (N, 3, S, S) uint8.
        pictures: (N, 2) int64 on the views' device: a row's own picture and the one mixed in,
            `NO_PICTURE` where none of its content is there.
    """

    views: Tensor
    pictures: Tensor


def mix_views(
    views: Tensor, pictures: Tensor, config: MixupConfig, rng: np.random.Generator
) -> Mixed:
    """Mix some of a batch's views with unmixed views of other pictures of the batch.

    Each row is mixed with `config.probability`, by mixup (λ·own + (1−λ)·other) or cutmix (a box of
    area share 1−λ around a uniform centre, clipped at the border, shows the other), or else with
    `config.overlay` or `config.collage` by those. The other is uniform among the rows of other
    pictures; where the batch has none, rows stay as they are.

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
    lot, partners = rng.random(len(own)), _partners(own, rng)
    lot[partners < 0] = np.inf
    content = np.stack([own, np.full_like(own, NO_PICTURE)], axis=1)
    blends = draw_blends(
        np.flatnonzero(lot < config.probability), partners, config, rng, height=height, width=width
    )
    _note(content, own, blends.rows, blends.partners, visible=blends.visible(height, width))
    mixed = blend(views, blends)
    for layout in _draw_layouts(lot, partners, config, rng, height=height, width=width):
        _note(content, own, layout.rows, layout.partners, visible=layout.visible(height, width))
        mixed = paste(mixed, views, layout)
    return Mixed(mixed, torch.from_numpy(content).to(views.device, non_blocking=True))


def _draw_layouts(
    lot: NDArray[np.float64],
    partners: NDArray[np.int64],
    config: MixupConfig,
    rng: np.random.Generator,
    *,
    height: int,
    width: int,
) -> tuple[Layout, Layout]:
    """Draw which rows that are not blended become overlays and collages, and how."""
    first = config.probability
    second = first + config.overlay
    overlaid = np.flatnonzero((lot >= first) & (lot < second))
    collaged = np.flatnonzero((lot >= second) & (lot < second + config.collage))
    sides = config.overlay_side
    return (
        draw_overlays(overlaid, partners[overlaid], rng, sides=sides, height=height, width=width),
        draw_collages(collaged, partners[collaged], rng, height=height, width=width),
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


def _note(
    content: NDArray[np.int64],
    pictures: NDArray[np.int64],
    rows: NDArray[np.int64],
    partners: NDArray[np.int64],
    *,
    visible: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> None:
    """Write into `content` (N, 2) which pictures mixed rows show, of their own and the other's."""
    own, other = visible
    content[rows[~own], 0] = NO_PICTURE
    content[rows[other], 1] = pictures[partners[other]]
