"""Differential entropy of the descriptors (Kozachenko–Leonenko; SSCD, section 3.2, equation 3).

Pushing each descriptor from its nearest neighbour among *other* pictures spreads all of them
over the sphere, so that one threshold means the same for every query.
"""

import torch
from torch import Tensor

from sscd.losses.precision import at_least_float32
from sscd.losses.relations import Relations

# Where two descriptors are this close the loss is flat: collapse shows in statistics, not here.
MIN_SQUARED_DISTANCE = 1e-6


def entropy_loss(
    anchors: Tensor, gallery: Tensor, similarity: Tensor, relations: Relations
) -> tuple[Tensor, Tensor]:
    """`−log ‖zᵢ − z_n‖` of every anchor to its nearest negative n.

    Args:
        anchors: (N, D) unit-norm descriptors.
        gallery: (M, D) unit-norm descriptors of all ranks.
        similarity: (N, M) their inner products; used to find the nearest only.
        relations: Positives and negatives, (N, M) each.

    Returns:
        The loss of each row (N,), 0 where it has no negative, and the rows (N,) bool that have one.
    """
    valid = relations.negative.any(dim=1)
    hidden = similarity.detach().masked_fill(~relations.negative, -torch.inf)
    nearest = hidden.argmax(dim=1)
    # From the difference itself: 2 − 2·s has lost its digits where it matters, near zero.
    difference = at_least_float32(anchors) - at_least_float32(gallery)[nearest]
    squared = difference.square().sum(dim=1)
    losses = -0.5 * squared.clamp(min=MIN_SQUARED_DISTANCE).log()
    return losses.masked_fill(~valid, 0.0), valid
