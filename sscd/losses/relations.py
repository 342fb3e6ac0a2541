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

    def first(self, rows: int) -> "Relations":
        """The relations to the first `rows` of the gallery."""
        return Relations(self.positive[:, :rows], self.negative[:, :rows])


def relations(
    anchors: Tensor,
    gallery: Tensor,
    *,
    first_anchor: int = 0,
    negative_only: Tensor | None = None,
) -> Relations:
    """Compare the pictures in each anchor row with those in each gallery row.

    A row that mixes two pictures (mixup, cutmix) is a positive of every row that shares *any*
    content with it and a negative only of rows that share *none* (SSCD, section 3.3).

    Args:
        anchors: (N, C) int64 picture numbers in each row, `NO_PICTURE` where a row has fewer.
        gallery: (M, C) the same for the gallery, of which the anchors are a part.
        first_anchor: Where the anchors begin in the gallery; that row is the anchor itself and
            neither its positive nor its negative.
        negative_only: (M,) bool; such a row is a negative of rows that share nothing with it, a
            positive of none, and no anchor: it has neither positives nor negatives.

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
    shared = shares_content(anchors, gallery)
    negative = ~shared
    for related in (shared, negative):
        related.diagonal(first_anchor).fill_(False)  # each anchor beside itself
    if negative_only is not None:
        no_anchor = negative_only[first_anchor : first_anchor + count, None]
        shared &= ~(negative_only | no_anchor)
        negative &= ~no_anchor
    return Relations(positive=shared, negative=negative)


def with_memory(related: Relations, negative: Tensor) -> Relations:
    """Add rows of earlier steps to the gallery, which can be negatives only.

    Args:
        related: Of N anchors and M gallery rows.
        negative: (N, K) bool; which of K more rows are negatives of the anchors.

    Returns:
        The relations of the anchors and all M + K rows.
    """
    return Relations(
        positive=torch.cat([related.positive, torch.zeros_like(negative)], dim=1),
        negative=torch.cat([related.negative, negative], dim=1),
    )


def shares_content(anchors: Tensor, others: Tensor) -> Tensor:
    """Whether rows show a picture in common.

    Args:
        anchors: (N, C) picture numbers, `NO_PICTURE` where a row has fewer.
        others: (K, C') the same of other rows.

    Returns:
        (N, K) bool, without an (N, K, C, C') on the way.
    """
    # What no row holds, so that two rows that lack a picture have nothing in common.
    absent = torch.iinfo(anchors.dtype).min
    known = anchors.masked_fill(anchors == NO_PICTURE, absent)
    shared = known[:, None, 0] == others[None, :, 0]
    for own in range(anchors.shape[1]):
        for other in range(others.shape[1]):
            if own or other:
                shared |= known[:, None, own] == others[None, :, other]
    return shared
