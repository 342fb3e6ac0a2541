"""The training objective: InfoNCE plus λ times differential entropy, over the global batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sscd.losses.entropy import entropy_loss
from sscd.losses.info_nce import info_nce
from sscd.losses.relations import Relations, relations
from sscd.training.gather import gather_rows, global_mean, rank


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

    Attributes:
        loss: Scalar with gradient; its average over ranks is the loss of the global batch.
        info_nce: InfoNCE part, detached.
        entropy: Entropy part before its weight, detached.
        positive_similarity: Mean cosine of the positives, detached.
        nearest_negative_similarity: Mean cosine of each row's nearest negative; → 1 is collapse.
    """

    loss: Tensor
    info_nce: Tensor
    entropy: Tensor
    positive_similarity: Tensor
    nearest_negative_similarity: Tensor


def compute_objective(
    descriptors: Tensor, pictures: Tensor, *, temperature: float, entropy_weight: float
) -> Objective:
    """InfoNCE + λ·entropy of this rank's rows against the rows of all ranks.

    Args:
        descriptors: (N, D) unit-norm descriptors of this rank.
        pictures: (N, C) int64 picture numbers in each row, unique over ranks.
        temperature: τ.
        entropy_weight: λ in force.
    """
    # The product must stay float32; under autocast a cast of its inputs would be undone.
    with torch.autocast(device_type=descriptors.device.type, enabled=False):
        anchors = descriptors.float()
        gallery = gather_rows(anchors)
        related = relations(pictures, gather_rows(pictures), first_anchor=rank() * len(anchors))
        similarity = anchors @ gallery.T
        contrast = global_mean(*info_nce(similarity, related, temperature=temperature))
        entropy = global_mean(*entropy_loss(anchors, gallery, similarity, related))
        # Not `+ 0 · entropy`: a schedule that starts at 0 must not let a NaN of it through.
        loss = contrast + entropy_weight * entropy if entropy_weight else contrast
    positive, nearest = _similarities(similarity.detach(), related)
    return Objective(
        loss=loss,
        info_nce=contrast.detach(),
        entropy=entropy.detach(),
        positive_similarity=positive,
        nearest_negative_similarity=nearest,
    )


def _similarities(similarity: Tensor, related: Relations) -> tuple[Tensor, Tensor]:
    positive = (similarity * related.positive).sum() / related.positive.sum().clamp(min=1)
    has_negative = related.negative.any(dim=1)
    nearest = similarity.masked_fill(~related.negative, -1.0).amax(dim=1)
    return positive, (nearest * has_negative).sum() / has_negative.sum().clamp(min=1)
