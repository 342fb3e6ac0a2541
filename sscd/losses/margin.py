"""Margin loss with distance-weighted negatives (Wu, Manmatha, Smola and Krähenbühl, ICCV 2017).

"Sampling Matters in Deep Embedding Learning" (arXiv 1706.07567), equations 4 and 5: positives
closer than β − α and negatives farther than β + α cost nothing, and β is learnt. MultiGrain
(Berman et al. 2019, arXiv 1902.05509, section 3.2) takes α = 0.2, β = 1.2 at first, the repeated
augmentations of a picture for positives, and as many negatives for an anchor as it has positives.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sscd.losses.contrastive import distances_to
from sscd.losses.precision import at_least_float32
from sscd.losses.relations import Relations

# As the published code has it under the root.
_FLOOR = 1e-8


@dataclass(frozen=True)
class Drawn:
    """Negatives drawn for N anchors.

    Attributes:
        places: (N, K) int64, of the gallery's rows.
        valid: (N, K) bool; the others were not drawn.
    """

    places: Tensor
    valid: Tensor


def margin_loss(
    anchors: Tensor,
    gallery: Tensor,
    similarity: Tensor,
    relations: Relations,
    drawn: Drawn,
    *,
    beta: Tensor,
    alpha: float = 0.2,
) -> tuple[Tensor, Tensor]:
    """The pairs' losses of every anchor: all its positives, and the negatives drawn for it.

    Args:
        anchors: (N, D) unit-norm descriptors.
        gallery: (M, D) unit-norm descriptors.
        similarity: (N, M) their inner products.
        relations: Positives and negatives, (N, M) each.
        drawn: Negatives of each anchor.
        beta: β, a scalar.
        alpha: α.

    Returns:
        Σ over each row's pairs of `[α + d − β]₊` for positives and `[α + β − d]₊` for negatives
        (N,), and how many of its pairs cost something (N,) int64; the mean is over those.
    """
    # What is near costs nothing as a positive, so the digits that are lost near 0 are not needed.
    squared = (2.0 - 2.0 * at_least_float32(similarity)).clamp(min=_FLOOR)
    near = (squared.sqrt() - beta + alpha).clamp(min=0.0)
    near = near.masked_fill(~relations.positive, 0.0)
    distance = distances_to(anchors, gallery, drawn.places, floor=_FLOOR)
    far = (beta - distance + alpha).clamp(min=0.0).masked_fill(~drawn.valid, 0.0)
    active = (near > 0).sum(dim=1) + (far > 0).sum(dim=1)
    return near.sum(dim=1) + far.sum(dim=1), active


@torch.no_grad()
def draw_negatives(
    similarity: Tensor,
    relations: Relations,
    noise: Tensor,
    *,
    dims: int,
    most: int,
    nearest: float = 0.5,
    farthest: float = 1.4,
) -> Drawn:
    """Draw negatives so that their distances are spread evenly, as many as each row has positives.

    The weight of a negative at distance d is one over the density of distances on the sphere in D
    dimensions, `d^(2−D) · (1 − d²/4)^((3−D)/2)`, with d no smaller than `nearest`. None is drawn
    that is farther than `farthest`, where the loss is 0, unless all are: then they are drawn
    evenly. Where fewer are near enough than wanted, these few are taken. Drawing without
    replacement is taking the largest of `log weight + Gumbel noise` (Vieira 2014).

    Args:
        similarity: (N, M) inner products of unit-norm descriptors.
        relations: Positives and negatives, (N, M) each.
        noise: (N, M) between 0 and 1, evenly distributed.
        dims: D.
        most: K; no row has more negatives drawn.
        nearest: Distances below it weigh as it does.
        farthest: Distances of at least it weigh nothing.
    """
    negative = relations.negative
    squared = 2.0 - 2.0 * at_least_float32(similarity)
    near = negative & (squared < farthest**2)
    squared = squared.clamp(min=nearest**2, max=3.999)
    weights = (2.0 - dims) / 2 * squared.log() - (dims - 3.0) / 2 * (1.0 - squared / 4).log()
    some = near.any(dim=1, keepdim=True)
    weights = weights.where(some, 0.0).masked_fill(~near.where(some, negative), -torch.inf)
    gumbel = -(-noise.log()).log()
    best = (weights + gumbel).topk(min(most, similarity.shape[1]), dim=1)
    wanted = relations.positive.sum(dim=1, keepdim=True)
    order = torch.arange(best.indices.shape[1], device=similarity.device)
    return Drawn(best.indices, (best.values > -torch.inf) & (order < wanted))
