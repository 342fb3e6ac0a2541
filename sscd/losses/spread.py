"""The entropies that spread descriptors, behind one interface: of a block of anchors at a time."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sscd.losses.entropy import entropy_loss
from sscd.losses.log_det import log_det_loss
from sscd.losses.relations import Relations
from sscd.losses.uniformity import potentials


class Spread(Protocol):
    """A loss that is least where descriptors are spread; a function of a mean over all anchors."""

    def of(
        self, anchors: Tensor, pool: Tensor, similarity: Tensor, relations: Relations
    ) -> tuple[Tensor, Tensor]:
        """Sums over the anchors' terms, and how many terms they are.

        Args:
            anchors: (B, D) unit-norm descriptors.
            pool: (M, D) those of all ranks, and maybe of earlier steps; without any, a row is 0.
            similarity: (B, M) their inner products, without gradient.
            relations: Positives and negatives, (B, M) each.

        Returns:
            (B,) sums with gradient, and (B,) counts, bool or int64.
        """
        ...

    def loss(self, mean: Tensor) -> Tensor:
        """The loss, of the mean over the terms of all anchors of all ranks."""
        ...

    def share(self, mean: Tensor, everywhere: Tensor, *, ranks: int) -> Tensor:
        """This rank's share of that loss; the shares of all ranks sum to it.

        Args:
            mean: This rank's sums over the count of all ranks, with gradient.
            everywhere: The mean over the terms of all ranks.
            ranks: W.
        """
        ...


class _MeanOfTerms:
    """A loss that is the mean itself."""

    def loss(self, mean: Tensor) -> Tensor:
        """See `Spread.loss`."""
        return mean

    def share(self, mean: Tensor, everywhere: Tensor, *, ranks: int) -> Tensor:  # noqa: ARG002
        """See `Spread.share`."""
        return mean


@dataclass(frozen=True)
class Nearest(_MeanOfTerms):
    """Differential entropy by the nearest neighbour, as in SSCD; a term is an anchor."""

    def of(
        self, anchors: Tensor, pool: Tensor, similarity: Tensor, relations: Relations
    ) -> tuple[Tensor, Tensor]:
        """See `Spread.of`."""
        return entropy_loss(anchors, pool, similarity, relations)


@dataclass(frozen=True)
class LogDet(_MeanOfTerms):
    """The log-determinant of the second moment, the same term for every anchor.

    Attributes:
        squared_error: ε².
    """

    squared_error: float = 0.5

    def of(
        self,
        anchors: Tensor,
        pool: Tensor,
        similarity: Tensor,  # noqa: ARG002
        relations: Relations,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor]:
        """See `Spread.of`."""
        whole = log_det_loss(pool, squared_error=self.squared_error)
        return whole.expand(len(anchors)), torch.ones_like(anchors[:, 0], dtype=torch.bool)


@dataclass(frozen=True)
class Uniformity:
    """The logarithm of the mean Gaussian potential; a term is a pair of different pictures.

    Attributes:
        t: How fast the potential falls.
    """

    t: float = 2.0

    def of(
        self,
        anchors: Tensor,
        pool: Tensor,
        similarity: Tensor,  # noqa: ARG002
        relations: Relations,
    ) -> tuple[Tensor, Tensor]:
        """See `Spread.of`."""
        return potentials(anchors, pool, relations, t=self.t)

    def loss(self, mean: Tensor) -> Tensor:
        """See `Spread.loss`; 0 of no pair."""
        return _or_one(mean).log()

    def share(self, mean: Tensor, everywhere: Tensor, *, ranks: int) -> Tensor:
        """See `Spread.share`: the logarithm's tangent at `everywhere`, which no rank has alone."""
        base = _or_one(everywhere)
        return (mean - everywhere / ranks) / base + base.log() / ranks


def _or_one(mean: Tensor) -> Tensor:
    """The mean; of no pair it is 0, which has no logarithm."""
    return torch.where(mean > 0, mean, 1.0)
