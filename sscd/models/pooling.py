"""Activation maps to vectors: generalised mean, plain mean, and the mean by attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class GeM(nn.Module):
    """The p-mean of an activation map: `(mean over h, w of x^p)^(1/p)`.

    p = 1 is average pooling, p → ∞ max pooling (Radenović, Tolias and Chum, TPAMI 2019). The
    published SSCD networks use p = 3. Negative activations count as 0: a ResNet has none, since
    its map comes from a ReLU; transformers and ConvNeXt have as many as positive ones, and lose
    them here.

    Args:
        p: The exponent, above 0.
        eps: Activations are clamped to at least this, so that the root has a gradient.
        p_inference: The exponent in evaluation mode; None for `p`, as it is learnt.
        learnt: Whether the exponent is a parameter, which counts as 1 where it falls below.
    """

    def __init__(
        self,
        p: float = 3.0,
        eps: float = 1e-6,
        p_inference: float | None = None,
        *,
        learnt: bool = False,
    ) -> None:
        super().__init__()
        for exponent in (p, p if p_inference is None else p_inference):
            if exponent <= 0:
                raise ValueError(f"GeM exponent got {exponent}; expected a number above 0")
        self.p: float | nn.Parameter = nn.Parameter(torch.tensor(float(p))) if learnt else p
        self.eps = eps
        self.p_inference = p_inference

    @property
    def exponent(self) -> float:
        """The exponent of the training, as it is now."""
        return max(1.0, self.p.item()) if isinstance(self.p, Tensor) else self.p

    def forward(self, activations: Tensor) -> Tensor:
        """Pool (B, C, h, w) to (B, C)."""
        p: float | Tensor = self.p
        if not self.training and self.p_inference is not None:
            p = self.p_inference
        elif isinstance(p, Tensor):
            p = _at_least_1(p.float())
        # In float32: the p-th power of a half-precision activation overflows or vanishes.
        powered = activations.float().clamp(min=self.eps).pow(p)
        mean = powered.mean(dim=(-2, -1))
        if isinstance(p, Tensor):
            # A large power of `eps` is 0, whose root gives the exponent a gradient that is NaN.
            mean = mean.clamp(min=torch.finfo(mean.dtype).tiny)
        return mean.pow(1.0 / p)


def learnt_exponents(network: nn.Module) -> list[nn.Parameter]:
    """The exponents of a network's pooling that are trained."""
    pools = (module for module in network.modules() if isinstance(module, GeM))
    return [pool.p for pool in pools if isinstance(pool.p, nn.Parameter)]


def _at_least_1(p: Tensor) -> Tensor:
    """The exponent, whose gradient goes on below 1: there it could not come back otherwise."""
    return p + (p.clamp(min=1) - p).detach()


class AveragePool(nn.Module):
    """The mean of an activation map, of both signs."""

    def forward(self, activations: Tensor) -> Tensor:
        """Pool (B, C, h, w) to (B, C)."""
        return activations.float().mean(dim=(-2, -1))


class AttentionPool(nn.Module):
    """The mean of the smoothed activations, weighted by attention (Tolias et al., ECCV 2020).

    HOW pools local descriptors `l = W·s + b` of smoothed activations s to `Σ a·l` (section 3.2),
    before L2. The linear head follows this pooling, and `W · (Σ a·s / Σ a) + b = Σ a·l / Σ a`: the
    same direction, without a head in every cell.
    """

    def forward(self, activations: Tensor) -> Tensor:
        """Pool (B, C, h, w) to (B, C)."""
        weights = attention_of(activations)[:, None]
        total = (weights * smoothed(activations)).sum(dim=(-2, -1))
        return total / weights.sum(dim=(-2, -1))


def attention_of(activations: Tensor) -> Tensor:
    """How much each cell of a map (B, C, h, w) matters: its L2 norm, (B, h, w), above 0."""
    # A root has no gradient at 0.
    return (activations.float().square().sum(dim=1) + 1e-10).sqrt()


def smoothed(activations: Tensor) -> Tensor:
    """Each cell of a map (B, C, h, w) averaged with its 8 neighbours; at the border, with fewer."""
    return functional.avg_pool2d(
        activations.float(), kernel_size=3, stride=1, padding=1, count_include_pad=False
    )
