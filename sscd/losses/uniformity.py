"""Uniformity: the Gaussian potential of all pairs of rows (Wang and Isola 2020, section 4.1).

"Understanding contrastive representation learning through alignment and uniformity on the
hypersphere" (ICML 2020, arXiv 2005.10242): `log E e^{−t ‖x − y‖²}`, least where descriptors are
spread evenly over the sphere. Of pairs of different pictures alone: views of one belong together.
"""

import torch
from torch import Tensor

from sscd.losses.precision import at_least_float32
from sscd.losses.relations import Relations


def potentials(
    anchors: Tensor, gallery: Tensor, relations: Relations, *, t: float = 2.0
) -> tuple[Tensor, Tensor]:
    """`Σ_n e^{−t ‖zᵢ − z_n‖²}` of every anchor over its negatives n.

    Args:
        anchors: (N, D) unit-norm descriptors.
        gallery: (M, D) unit-norm descriptors of all ranks.
        relations: Positives and negatives, (N, M) each.
        t: Above 0; the published value is 2.

    Returns:
        The sums (N,), each term above 0 and at most 1, and how many terms they are (N,) int64.
    """
    similarity = at_least_float32(anchors) @ at_least_float32(gallery).T
    # Of unit vectors ‖x − y‖² = 2 − 2s.
    terms = torch.exp(2 * t * (similarity - 1)).masked_fill(~relations.negative, 0.0)
    return terms.sum(dim=1), relations.negative.sum(dim=1)
