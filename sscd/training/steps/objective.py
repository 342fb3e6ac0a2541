"""The training objective: a loss plus λ times an entropy, over the global batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sscd.losses.blocks import contrastive_totals
from sscd.losses.instance import InstanceLoss
from sscd.losses.precision import at_least_float32, full_float32
from sscd.losses.rows import Remembered, Rows
from sscd.losses.spread import Nearest, Spread
from sscd.training.ranks.gather import gather_rows, rank, sum_over_ranks, world_size
from sscd.training.steps.statistics import center_norm, effective_rank, negative_similarity


@dataclass(frozen=True)
class Objective:
    """The loss of one step and what a logger may want to know of it, all on the device.

    All but `loss` are of the global batch, the same on every rank, and detached.

    Attributes:
        loss: Scalar with gradient; its average over ranks is the loss of the global batch.
        total: That average.
        instance: The part that tells pictures apart.
        entropy: Entropy part before its weight.
        positive_similarity: Mean cosine of the positive pairs.
        negative_similarity: Mean cosine of the negative pairs; 0 where rows are spread evenly.
        nearest_negative_similarity: Mean cosine of each row's nearest negative; → 1 is collapse.
        center_norm: Norm of the mean descriptor; → 1 is collapse.
        effective_rank: Directions in use, 1 to D; → 1 is collapse.
        rows: The descriptors of all ranks and their contents, in rank order.
        name: Of the loss that tells pictures apart.
    """

    loss: Tensor
    total: Tensor
    instance: Tensor
    entropy: Tensor
    positive_similarity: Tensor
    negative_similarity: Tensor
    nearest_negative_similarity: Tensor
    center_norm: Tensor
    effective_rank: Tensor
    rows: Rows
    name: str

    def statistics(self) -> dict[str, Tensor]:
        """The scalars by the names they are logged under."""
        return {
            "loss": self.total,
            self.name: self.instance,
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
    loss: InstanceLoss,
    entropy_weight: float,
    spread: Spread = Nearest(),
    learnt: Tensor | None = None,
    memory: Remembered | None = None,
    negative_only: Tensor | None = None,
    block: int | None = None,
) -> Objective:
    """Loss + λ·entropy of this rank's rows against the rows of all ranks.

    Nothing here waits for the device, and four collectives cross the ranks: the gather of rows
    and of contents, one sum of eight numbers, and in the backward pass the reduce-scatter of the
    rows' gradient. Where some rows are negatives only, these are gathered, too.

    Args:
        descriptors: (N, D) unit-norm descriptors of this rank; N is the same on every rank.
        pictures: (N, C) int64 picture numbers in each row, unique over ranks.
        loss: What tells pictures apart.
        entropy_weight: λ in force.
        spread: The entropy.
        learnt: What that loss learns beside the network; the same on every rank.
        memory: Rows of earlier steps to serve as more negatives.
        negative_only: (N,) bool, rows that are negatives of other pictures' rows and nothing else;
            what descriptors are like is told of the others.
        block: Anchors whose similarities are in memory at once; see `contrastive_totals`.
    """
    anchors = at_least_float32(descriptors)
    only = None if negative_only is None else gather_rows(negative_only.int()).bool()
    gallery = Rows(gather_rows(anchors), gather_rows(pictures), only)
    totals = contrastive_totals(
        Rows(anchors, pictures),
        gallery,
        first_anchor=rank() * len(anchors),
        loss=loss,
        spread=spread,
        learnt=learnt,
        memory=memory,
        block=block,
    )
    sums = torch.stack([totals.instance.detach(), totals.entropy.detach()])
    everywhere = sum_over_ranks(torch.cat([sums, totals.statistics]))
    contrast_sum, entropy_sum, contrasted, terms, *of_step = everywhere.unbind()
    positive_sum, positives, nearest_sum, having_negative = of_step
    # Times W, since data-parallel training averages gradients over ranks.
    part = _mean(totals.instance, contrasted) * world_size()
    instance, entropy_mean = _mean(contrast_sum, contrasted), _mean(entropy_sum, terms)
    entropy = spread.loss(entropy_mean)
    total = instance
    # Not `+ 0 · entropy`: a schedule that starts at 0 must not let a NaN of it through.
    if entropy_weight:
        own = spread.share(_mean(totals.entropy, terms), entropy_mean, ranks=world_size())
        part = part + entropy_weight * own * world_size()
        total = total + entropy_weight * entropy
    rows = gallery.descriptors.detach()
    return Objective(
        loss=part,
        total=total,
        instance=instance,
        entropy=entropy,
        positive_similarity=_mean(positive_sum, positives),
        nearest_negative_similarity=_mean(nearest_sum, having_negative),
        **_spread_of(rows, only, positive_sum=positive_sum, positives=positives),
        rows=Rows(rows, gallery.contents),
        name=loss.name,
    )


def _spread_of(
    rows: Tensor, only: Tensor | None, *, positive_sum: Tensor, positives: Tensor
) -> dict[str, Tensor]:
    """What the rows (M, D) are like, those left out that are negatives only."""
    count, told = (None, rows) if only is None else ((~only).sum(), _without(rows, only))
    with full_float32(rows.device.type):
        return {
            "center_norm": center_norm(told, count=count),
            "effective_rank": effective_rank(told),
            "negative_similarity": negative_similarity(
                told, positive_sum=positive_sum, positives=positives, count=count
            ),
        }


def _without(rows: Tensor, left_out: Tensor) -> Tensor:
    return rows.masked_fill(left_out[:, None], 0.0)


def _mean(total: Tensor, count: Tensor) -> Tensor:
    """0 of nothing."""
    return total / count.clamp(min=1)
