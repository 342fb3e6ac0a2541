"""The training objective: InfoNCE plus λ times differential entropy, over the global batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sscd.losses.blocks import Remembered, Rows, contrastive_totals
from sscd.losses.precision import at_least_float32, full_float32
from sscd.training.ranks.gather import gather_rows, rank, sum_over_ranks, world_size
from sscd.training.steps.statistics import center_norm, effective_rank, negative_similarity


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the loss and how the entropy weight λ grows.

    Attributes:
        temperature: τ of InfoNCE.
        entropy_weight: λ at full strength; 30 in the published recipe, 10 for anything new.
        entropy_delay: Share of the training, 0 to 1, during which λ is 0: a small budget learns
            nothing while λ pulls from the first step.
        entropy_ramp: Share of the training over which λ then rises linearly to its full strength.
    """

    temperature: float = 0.05
    entropy_weight: float = 10.0
    entropy_delay: float = 0.0
    entropy_ramp: float = 0.0

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueError(f"temperature got {self.temperature}; expected a number above 0")
        if self.entropy_weight < 0:
            raise ValueError(f"entropy_weight got {self.entropy_weight}; expected 0 or more")
        if min(self.entropy_delay, self.entropy_ramp) < 0:
            raise ValueError("entropy_delay and entropy_ramp must not be negative")
        if self.entropy_delay + self.entropy_ramp > 1:
            raise ValueError(
                f"entropy_delay + entropy_ramp got {self.entropy_delay + self.entropy_ramp}; "
                "expected at most 1, the whole training"
            )

    def entropy_weight_at(self, progress: float) -> float:
        """λ when `progress` (0 to 1) of the training is done.

        >>> config = ObjectiveConfig(entropy_weight=2.0, entropy_delay=0.4, entropy_ramp=0.2)
        >>> [config.entropy_weight_at(p) for p in (0.0, 0.4, 0.5, 0.6, 1.0)]
        [0.0, 0.0, 1.0, 2.0, 2.0]
        """
        if progress < self.entropy_delay:
            return 0.0
        if self.entropy_ramp == 0:
            return self.entropy_weight
        risen = (progress - self.entropy_delay) / self.entropy_ramp
        return self.entropy_weight * round(min(risen, 1.0), 12)


@dataclass(frozen=True)
class Objective:
    """The loss of one step and what a logger may want to know of it, all on the device.

    All but `loss` are of the global batch, the same on every rank, and detached.

    Attributes:
        loss: Scalar with gradient; its average over ranks is the loss of the global batch.
        total: That average.
        info_nce: InfoNCE part.
        entropy: Entropy part before its weight.
        positive_similarity: Mean cosine of the positive pairs.
        negative_similarity: Mean cosine of the negative pairs; 0 where rows are spread evenly.
        nearest_negative_similarity: Mean cosine of each row's nearest negative; → 1 is collapse.
        center_norm: Norm of the mean descriptor; → 1 is collapse.
        effective_rank: Directions in use, 1 to D; → 1 is collapse.
        rows: The descriptors of all ranks and their contents, in rank order.
    """

    loss: Tensor
    total: Tensor
    info_nce: Tensor
    entropy: Tensor
    positive_similarity: Tensor
    negative_similarity: Tensor
    nearest_negative_similarity: Tensor
    center_norm: Tensor
    effective_rank: Tensor
    rows: Rows

    def statistics(self) -> dict[str, Tensor]:
        """The scalars by the names they are logged under."""
        return {
            "loss": self.total,
            "info_nce": self.info_nce,
            "entropy": self.entropy,
            "positive_similarity": self.positive_similarity,
            "negative_similarity": self.negative_similarity,
            "nearest_negative_similarity": self.nearest_negative_similarity,
            "center_norm": self.center_norm,
            "effective_rank": self.effective_rank,
        }


def compute_objective(
    descriptors: Tensor,
    pictures: Tensor,
    *,
    temperature: float,
    entropy_weight: float,
    memory: Remembered | None = None,
    block: int | None = None,
) -> Objective:
    """InfoNCE + λ·entropy of this rank's rows against the rows of all ranks.

    Nothing here waits for the device, and four collectives cross the ranks: the gather of rows
    and of contents, one sum of eight numbers, and in the backward pass the reduce-scatter of the
    rows' gradient.

    Args:
        descriptors: (N, D) unit-norm descriptors of this rank; N is the same on every rank.
        pictures: (N, C) int64 picture numbers in each row, unique over ranks.
        temperature: τ.
        entropy_weight: λ in force.
        memory: Rows of earlier steps to serve as more negatives.
        block: Anchors whose similarities are in memory at once; see `contrastive_totals`.
    """
    anchors = at_least_float32(descriptors)
    gallery = Rows(gather_rows(anchors), gather_rows(pictures))
    totals = contrastive_totals(
        Rows(anchors, pictures),
        gallery,
        first_anchor=rank() * len(anchors),
        temperature=temperature,
        memory=memory,
        block=block,
    )
    sums = torch.stack([totals.info_nce.detach(), totals.entropy.detach()])
    everywhere = sum_over_ranks(torch.cat([sums, totals.statistics]))
    contrast_sum, entropy_sum, contrasted, spread, *of_step = everywhere.unbind()
    positive_sum, positives, nearest_sum, having_negative = of_step
    # Times W, since data-parallel training averages gradients over ranks.
    loss = _mean(totals.info_nce, contrasted) * world_size()
    info_nce, entropy = _mean(contrast_sum, contrasted), _mean(entropy_sum, spread)
    total = info_nce
    # Not `+ 0 · entropy`: a schedule that starts at 0 must not let a NaN of it through.
    if entropy_weight:
        loss = loss + entropy_weight * _mean(totals.entropy, spread) * world_size()
        total = total + entropy_weight * entropy
    rows = gallery.descriptors.detach()
    with full_float32(rows.device.type):
        center, directions = center_norm(rows), effective_rank(rows)
        negative = negative_similarity(rows, positive_sum=positive_sum, positives=positives)
    return Objective(
        loss=loss,
        total=total,
        info_nce=info_nce,
        entropy=entropy,
        positive_similarity=_mean(positive_sum, positives),
        negative_similarity=negative,
        nearest_negative_similarity=_mean(nearest_sum, having_negative),
        center_norm=center,
        effective_rank=directions,
        rows=Rows(rows, gallery.contents),
    )


def _mean(total: Tensor, count: Tensor) -> Tensor:
    """0 of nothing."""
    return total / count.clamp(min=1)
