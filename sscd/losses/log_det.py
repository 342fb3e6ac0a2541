"""Coding rate: entropy of the descriptors by the log-determinant of their second moment.

Yu et al., "Learning diverse and discriminative representations via the principle of maximal coding
rate reduction" (NeurIPS 2020, arXiv 2006.08558, section 2): descriptors Z (M, D) take
`½ log det(I + D/(M ε²) ZᵀZ)` nats to code up to an error ε, which is the entropy of a Gaussian that
is blurred by ε. Unlike the distance to the nearest neighbour it sees whether directions are unused.
"""

import torch
from torch import Tensor

from sscd.losses.precision import at_least_float32


def log_det_loss(rows: Tensor, *, squared_error: float = 0.5) -> Tensor:
    """Minus the coding rate for one dimension, `−1/(2D) log det(I + D/(M ε²) ZᵀZ)`.

    A dimension's share, as that of the nearest neighbour (`losses.entropy`) is, so that a weight
    means the same for any D. Least, `−½ log(1 + 1/ε²)`, where all directions are used equally.

    Args:
        rows: (M, D) unit-norm descriptors; rows of zeros count for nothing.
        squared_error: ε², above 0; the published value is 0.5.

    Returns:
        A scalar.

    >>> float(log_det_loss(torch.eye(2), squared_error=1 / 3))  # −½ log 4
    -0.6931...
    """
    rows = at_least_float32(rows)
    dims = rows.shape[1]
    moment = rows.T @ rows
    # Unit rows add up to M on the diagonal.
    count = moment.detach().diagonal().sum().clamp(min=1.0)
    unit = torch.eye(dims, dtype=rows.dtype, device=rows.device)
    # Positive definite; `cholesky` and `logdet` would wait for the device to check it.
    factor = torch.linalg.cholesky_ex(unit + dims / squared_error / count * moment).L
    loss: Tensor = -factor.diagonal().log().sum() / dims
    return loss
