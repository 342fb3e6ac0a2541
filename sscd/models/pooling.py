"""Activation maps to vectors: generalised-mean pooling, and the plain mean."""

from torch import Tensor, nn


class GeM(nn.Module):
    """The p-mean of an activation map: `(mean over h, w of x^p)^(1/p)`.

    p = 1 is average pooling, p → ∞ max pooling (Radenović, Tolias and Chum, TPAMI 2019). The
    published SSCD networks use p = 3. Negative activations count as 0: a ResNet has none, since
    its map comes from a ReLU; transformers and ConvNeXt have as many as positive ones, and lose
    them here.

    Args:
        p: The exponent, above 0.
        eps: Activations are clamped to at least this, so that the root has a gradient.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        if p <= 0:
            raise ValueError(f"GeM exponent got {p}; expected a number above 0")
        self.p = p
        self.eps = eps

    def forward(self, activations: Tensor) -> Tensor:
        """Pool (B, C, h, w) to (B, C)."""
        # In float32: the p-th power of a half-precision activation overflows or vanishes.
        powered = activations.float().clamp(min=self.eps).pow(self.p)
        return powered.mean(dim=(-2, -1)).pow(1.0 / self.p)


class AveragePool(nn.Module):
    """The mean of an activation map, of both signs."""

    def forward(self, activations: Tensor) -> Tensor:
        """Pool (B, C, h, w) to (B, C)."""
        return activations.float().mean(dim=(-2, -1))
