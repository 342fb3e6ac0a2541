"""Classification beside the contrastive loss (MultiGrain; Berman et al. 2019, section 3.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sscd.errors import UserError
from sscd.training.ranks.gather import sum_over_ranks, world_size


@dataclass(frozen=True)
class ClassificationConfig:
    """A linear classifier on the embedding before L2, which is trained and not exported.

    Attributes:
        weight: Share w of the cross-entropy: the loss is `w · cross-entropy + (1 − w) · objective`.
            0 leaves classes alone; Multigrain takes 0.5. Classes are those of `data.labels`.
    """

    weight: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError(f"classification.weight got {self.weight}; expected a share, 0 to 1")


def check_labels(labels: object, weight: float) -> None:
    """Check that classes which are given are asked for.

    Raises:
        UserError: They would be left unread.
    """
    if labels is not None and not weight:
        raise UserError(
            f"data.labels {labels} is for a classifier, and there is none; give "
            "--model.classification.weight 0.5, or leave data.labels out"
        )


@dataclass(frozen=True)
class Classified:
    """How well views were classified, on the device.

    Attributes:
        loss: Mean cross-entropy of this rank's views, with gradient.
        total: That of all ranks.
        accuracy: Share of the views of all ranks whose class scored highest.
    """

    loss: Tensor
    total: Tensor
    accuracy: Tensor

    def statistics(self) -> dict[str, Tensor]:
        """The scalars by the names they are logged under."""
        return {"cross_entropy": self.total, "accuracy": self.accuracy}


def classify(scores: Tensor, classes: Tensor) -> Classified:
    """Judge the classifier's scores.

    Args:
        scores: (N, K) of this rank's views; N is the same on every rank.
        classes: (N,) int64, their classes.
    """
    scores = scores.float()
    loss = functional.cross_entropy(scores, classes)
    right = (scores.argmax(dim=1) == classes).float().mean()
    total, accuracy = (sum_over_ranks(torch.stack([loss, right])) / world_size()).unbind()
    return Classified(loss, total, accuracy)
