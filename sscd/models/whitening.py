"""A head that whitens: PCA whitening of local activations, for networks that describe cells."""

import torch
from torch import Tensor


def whitening_of(
    activations: Tensor, *, dims: int, shrinkage: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Weights of a linear head that centres, rotates and whitens activations, in float64.

    PCA whitening with shrinkage (Mukundan et al., IJCV 2019, section 5.1; HOW, section 3.2): with
    the covariance `U Λ Uᵀ` about the mean m, `x ↦ Λ^(−s/2) Uᵀ (x − m)`, for the D largest
    eigenvalues. HOW takes s = 1 and does not train the head after it.

    Args:
        activations: (n, C), smoothed, of many pictures.
        dims: D, at most C.
        shrinkage: s; 1 gives every direction the same variance, 0 only rotates.

    Returns:
        Weight (D, C) and bias (D,), float32, so that `weight · x + bias` whitens.

    Raises:
        ValueError: There are too few activations or channels for D, or s is not in 0 to 1.
    """
    count, channels = activations.shape
    if not 1 <= dims <= channels:
        raise ValueError(f"whitening to {dims} dimensions got {channels} channels; expected more")
    if count <= dims:
        raise ValueError(
            f"whitening to {dims} dimensions got {count} activations; expected more than {dims}"
        )
    if not 0 <= shrinkage <= 1:
        raise ValueError(f"shrinkage got {shrinkage}; expected 0 to 1")
    mean, covariance = _moments(activations)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0)[:dims], vectors.flip(1)[:, :dims]
    # A direction without variance would be scaled up to noise.
    scales = values.clamp(min=max(float(values[0]) * 1e-8, 1e-14)).pow(-shrinkage / 2)
    # An eigenvector's sign is arbitrary, and differs from machine to machine.
    largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    weight = (vectors * largest.sign()).T * scales[:, None]
    return weight.float(), -(weight @ mean).float()


def _moments(activations: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C,) and covariance (C, C), in float64 a block of rows at a time."""
    count, channels = activations.shape
    mean = activations.sum(dim=0, dtype=torch.float64) / count
    covariance = torch.zeros(channels, channels, dtype=torch.float64, device=activations.device)
    for start in range(0, count, 65536):
        centred = activations[start : start + 65536].double() - mean
        covariance += centred.T @ centred
    return mean, covariance / count
