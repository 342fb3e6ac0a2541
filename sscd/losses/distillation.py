"""Relational distillation: a student's similarities follow a teacher's (after RDCD).

Kim, Woo and Nang, "Relational self-supervised distillation with compact descriptors for image copy
detection" (WACV 2025, arXiv 2405.17928): the Kullback–Leibler divergence between how similar a
picture is to others for a teacher and for a student, at τ = 0.04. There the others are a queue of
the teacher's descriptors, to which the student's are mapped; here they are the rows of the step,
each network's among its own, so that the numbers of dimensions need not agree.
"""

import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.precision import at_least_float32, full_float32


def relational_loss(
    anchors: Tensor,
    gallery: Tensor,
    taught_anchors: Tensor,
    taught_gallery: Tensor,
    *,
    first_anchor: int = 0,
    temperature: float = 0.04,
) -> Tensor:
    """`KL(p‖q)` of every anchor, with p and q the softmax over the other rows of `cosine / τ`.

    All (N, M) similarities are in memory at once.

    Args:
        anchors: (N, D) unit-norm descriptors of the student.
        gallery: (M, D) the same of all ranks, of which the anchors are a part.
        taught_anchors: (N, T) unit-norm descriptors of the teacher, which get no gradient.
        taught_gallery: (M, T) the same of all ranks.
        first_anchor: Where the anchors begin in the gallery; no row is compared with itself.
        temperature: τ above 0.

    Returns:
        The divergences (N,), 0 where there is no other row.

    Raises:
        ValueError: The temperature does not fit.
    """
    if temperature <= 0:
        raise ValueError(f"temperature got {temperature}; expected a number above 0")
    with full_float32(anchors.device.type):
        own = at_least_float32(anchors) @ at_least_float32(gallery).T
        given = taught_anchors.detach().to(own.dtype) @ taught_gallery.detach().to(own.dtype).T
    itself = torch.zeros_like(own, dtype=torch.bool)
    itself.diagonal(first_anchor).fill_(True)
    # A finite floor keeps the products of 0 and a logarithm finite.
    floor = torch.finfo(own.dtype).min
    wanted, found = (
        functional.log_softmax((one / temperature).masked_fill(itself, floor), dim=1)
        for one in (given, own)
    )
    differences = (wanted - found).masked_fill(itself, 0.0)
    return (wanted.exp() * differences).sum(dim=1)
