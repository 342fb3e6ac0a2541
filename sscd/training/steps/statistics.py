"""What tells a healthy descriptor space from a collapsing one, computed without a host read."""

import torch
from torch import Tensor


def center_norm(rows: Tensor, *, count: Tensor | None = None) -> Tensor:
    """Norm of the mean descriptor: 0 where they are spread evenly, → 1 where all are alike.

    Args:
        rows: (M, D) unit-norm descriptors.
        count: How many they are, where the other rows are 0.

    >>> float(center_norm(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])))
    0.0
    """
    mean = rows.mean(dim=0) if count is None else rows.sum(dim=0) / count.clamp(min=1)
    return mean.square().sum().sqrt()


def effective_rank(rows: Tensor) -> Tensor:
    """Participation ratio `tr(C)² / ‖C‖_F²` of the second moment C = ZᵀZ / M.

    It is `(Σ λ)² / Σ λ²` of C's eigenvalues, without computing them, which would stall the device:
    D for descriptors spread evenly, k for k equally used directions, → 1 where all are alike. C is
    not centred: what is left of a fully collapsed space after centring is rounding, of any rank.

    Args:
        rows: (M, D) descriptors.

    >>> float(effective_rank(torch.eye(4)))
    4.0
    """
    # The same non-zero eigenvalues either way; the smaller product is taken.
    product = rows.T @ rows if rows.shape[1] <= len(rows) else rows @ rows.T
    tiny = torch.finfo(rows.dtype).tiny
    return product.diagonal().sum().square() / product.square().sum().clamp(min=tiny)


def negative_similarity(
    rows: Tensor, *, positive_sum: Tensor, positives: Tensor, count: Tensor | None = None
) -> Tensor:
    """Mean cosine of the negative pairs, without looking at any of them.

    All pairs sum to `‖Σ z‖²`; what is neither a row with itself nor a positive pair is a negative.

    Args:
        rows: (M, D) unit-norm descriptors.
        positive_sum: Σ cosine of the positive pairs, each counted from both its rows.
        positives: Those pairs.
        count: How many rows there are, where the other ones are 0.

    Returns:
        A scalar; 0 where there is no negative pair.

    >>> rows = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
    >>> similar = negative_similarity(
    ...     rows, positive_sum=torch.tensor(2.0), positives=torch.tensor(2)
    ... )
    >>> round(float(similar), 6)
    0.6
    """
    total = rows.sum(dim=0).square().sum() - rows.square().sum() - positive_sum
    present = len(rows) if count is None else count
    pairs = present * (present - 1) - positives
    # Of no pair, what is left of the sum is its rounding.
    return torch.where(pairs > 0, total / pairs.clamp(min=1), 0.0)
