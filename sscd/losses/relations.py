"""Which rows of a batch are copies of which: the positives P(i) and the negatives Q(i)."""

from dataclasses import dataclass

import torch
from torch import Tensor

NO_PICTURE = -1


@dataclass(frozen=True)
class Relations:
    """How N anchor rows relate to M gallery rows.

    Attributes:
        positive: (N, M) bool; rows that share content with the anchor, the anchor itself not.
        negative: (N, M) bool; rows that share none.
    """

    positive: Tensor
    negative: Tensor


def relations(anchors: Tensor, gallery: Tensor, *, first_anchor: int = 0) -> Relations:
    """Compare the pictures in each anchor row with those in each gallery row.

    A row that mixes two pictures (mixup, cutmix) is a positive of every row that shares *any*
    content with it and a negative only of rows that share *none* (SSCD, section 3.3).

    Args:
        anchors: (N, C) int64 picture numbers in each row, `NO_PICTURE` where a row has fewer.
        gallery: (M, C) the same for the gallery, of which the anchors are a part.
        first_anchor: Where the anchors begin in the gallery; that row is the anchor itself and
            neither its positive nor its negative.

    Raises:
        ValueError: A shape does not fit.
    """
    if anchors.ndim != 2 or gallery.ndim != 2:
        shapes = f"{tuple(anchors.shape)} and {tuple(gallery.shape)}"
        raise ValueError(f"picture numbers got shapes {shapes}; expected (N, C) and (M, C)")
    count = len(anchors)
    if not 0 <= first_anchor <= len(gallery) - count:
        raise ValueError(
            f"first_anchor got {first_anchor}; expected 0 to {len(gallery) - count} "
            f"for {count} anchors in a gallery of {len(gallery)}"
        )
    same = anchors[:, None, :, None] == gallery[None, :, None, :]
    same &= (anchors != NO_PICTURE)[:, None, :, None]
    shared = same.flatten(2).any(dim=2)
    own = torch.arange(count, device=anchors.device)
    positive = shared.clone()
    positive[own, own + first_anchor] = False
    negative = ~shared
    negative[own, own + first_anchor] = False
    return Relations(positive=positive, negative=negative)
