"""Contrastive loss with a margin (Hadsell et al. 2006), as HOW is trained (Tolias et al. 2020).

HOW, section 4.1, with the loss of Radenović, Tolias and Chum (TPAMI 2019, equation 5): half the
squared distance of an anchor to its positive, and for each of its five hardest negatives
`½ [μ − d]₊²` with μ = 0.8. There the sum over an anchor's tuple is taken; of several positives the
mean stands here.
"""

import torch
from torch import Tensor

from sscd.losses.precision import at_least_float32
from sscd.losses.relations import Relations

# So that the root has a gradient where two descriptors are equal.
_MIN_SQUARED_DISTANCE = 1e-12


def contrastive_loss(
    anchors: Tensor,
    gallery: Tensor,
    similarity: Tensor,
    relations: Relations,
    *,
    margin: float = 0.8,
    negatives: int = 5,
) -> tuple[Tensor, Tensor]:
    """The loss of every anchor row with its positives and its hardest negatives.

    Args:
        anchors: (N, D) unit-norm descriptors.
        gallery: (M, D) unit-norm descriptors.
        similarity: (N, M) their inner products.
        relations: Positives and negatives, (N, M) each.
        margin: μ; negatives farther than it cost nothing.
        negatives: How many of the nearest negatives count.

    Returns:
        The loss of each row (N,), 0 where a row has no positive or no negative, and the rows
        (N,) bool that have both; the mean is over those.
    """
    positive, negative = relations.positive, relations.negative
    valid = positive.any(dim=1) & negative.any(dim=1)
    # Of unit vectors ½d² = 1 − s.
    halves = (1.0 - at_least_float32(similarity)).masked_fill(~positive, 0.0)
    pull = halves.sum(dim=1) / positive.sum(dim=1).clamp(min=1)
    hidden = similarity.detach().masked_fill(~negative, -torch.inf)
    hardest = hidden.topk(min(negatives, hidden.shape[1]), dim=1)
    distance = distances_to(anchors, gallery, hardest.indices)
    push = 0.5 * (margin - distance).clamp(min=0.0).square()
    push = push.masked_fill(hardest.values == -torch.inf, 0.0).sum(dim=1)
    return (pull + push).masked_fill(~valid, 0.0), valid


def distances_to(
    anchors: Tensor, gallery: Tensor, places: Tensor, *, floor: float = _MIN_SQUARED_DISTANCE
) -> Tensor:
    """L2 distances of each anchor to some rows, from the differences.

    Near 0 `2 − 2·s` has lost its digits.

    Args:
        anchors: (N, D).
        gallery: (M, D).
        places: (N, K) int64, which rows.
        floor: Added to the squared distance, so that the root has a gradient everywhere.

    Returns:
        (N, K), float32 or wider.
    """
    difference = at_least_float32(anchors)[:, None] - at_least_float32(gallery)[places]
    return (difference.square().sum(dim=2) + floor).sqrt()
