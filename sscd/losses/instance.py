"""The losses that tell pictures apart, behind one interface: of a block of anchors at a time."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from sscd.losses.contrastive import contrastive_loss
from sscd.losses.info_nce import info_nce
from sscd.losses.margin import draw_negatives, margin_loss
from sscd.losses.noise import pair_noise
from sscd.losses.relations import Relations


@dataclass(frozen=True)
class Block:
    """Some anchors beside all they are compared with.

    Attributes:
        anchors: (B, D) unit-norm descriptors.
        step: (M, D) those of the whole step.
        memory: (K, D) those of earlier steps.
        similarity: (B, M + K) inner products of the anchors with both.
        relations: Positives and negatives, (B, M + K) each.
        first: Which row of the step the first anchor is.
    """

    anchors: Tensor
    step: Tensor
    memory: Tensor
    similarity: Tensor
    relations: Relations
    first: int

    @property
    def gallery(self) -> Tensor:
        """(M + K, D), the rows of the step and those of the memory after them."""
        return torch.cat([self.step, self.memory]) if len(self.memory) else self.step


class InstanceLoss(Protocol):
    """A loss over the pairs of a batch; its mean is that over the terms of all anchors."""

    @property
    def name(self) -> str:
        """What it is logged under."""
        ...

    def of(self, block: Block, learnt: Tensor | None) -> tuple[Tensor, Tensor]:
        """Sums over the anchors' terms, and how many terms they are.

        Args:
            block: The anchors, and what they are compared with.
            learnt: What the loss learns beside the network, if anything.

        Returns:
            (B,) sums with gradient, and (B,) counts, bool or int64.
        """
        ...


@dataclass(frozen=True)
class InfoNCE:
    """InfoNCE; a term is an anchor with a positive and a negative.

    Attributes:
        temperature: τ above 0.
        hardness: β of the negatives' weights; 0 weighs them alike.
    """

    temperature: float = 0.05
    hardness: float = 0.0
    name: ClassVar[str] = "info_nce"

    def of(self, block: Block, learnt: Tensor | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """See `InstanceLoss.of`."""
        return info_nce(
            block.similarity,
            block.relations,
            temperature=self.temperature,
            hardness=self.hardness,
        )


@dataclass(frozen=True)
class Contrastive:
    """The contrastive loss; a term is an anchor with a positive and a negative.

    Attributes:
        margin: μ.
        negatives: Hardest negatives of an anchor.
    """

    margin: float = 0.8
    negatives: int = 5
    name: ClassVar[str] = "contrastive"

    def of(self, block: Block, learnt: Tensor | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """See `InstanceLoss.of`."""
        return contrastive_loss(
            block.anchors,
            block.gallery,
            block.similarity,
            block.relations,
            margin=self.margin,
            negatives=self.negatives,
        )


@dataclass(frozen=True)
class Margin:
    """The margin loss; a term is a pair that costs something.

    Attributes:
        alpha: α.
        beta: β where it is not learnt.
        nearest: As of `draw_negatives`.
        farthest: As of `draw_negatives`.
        most: Negatives of an anchor, at most.
        seed: Of the negatives that are drawn; each step has its own.
    """

    alpha: float = 0.2
    beta: float = 1.2
    nearest: float = 0.5
    farthest: float = 1.4
    most: int = 1
    seed: int = 0
    name: ClassVar[str] = "margin"

    def of(self, block: Block, learnt: Tensor | None) -> tuple[Tensor, Tensor]:
        """See `InstanceLoss.of`; what is learnt is β."""
        anchors, similarity = block.anchors, block.similarity
        count, others = similarity.shape
        numbers = torch.arange(block.first, block.first + count, device=anchors.device)
        columns = torch.arange(others, device=anchors.device)
        drawn = draw_negatives(
            similarity,
            block.relations,
            pair_noise(numbers, columns, seed=self.seed),
            dims=anchors.shape[1],
            most=self.most,
            nearest=self.nearest,
            farthest=self.farthest,
        )
        return margin_loss(
            anchors,
            block.gallery,
            similarity,
            block.relations,
            drawn,
            beta=anchors.new_full((), self.beta) if learnt is None else learnt,
            alpha=self.alpha,
        )
