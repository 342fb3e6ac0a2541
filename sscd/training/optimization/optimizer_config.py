"""Settings of the optimiser: which one, its learning rate and the course of that."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OptimizerConfig:
    """Optimiser, learning rate and its course.

    Attributes:
        name: `lars` as published, `adamw` for small batches, `sgd`, or `adam`, whose decay is part
            of the gradient.
        lr: Learning rate for `reference_batch` pictures a step.
        reference_batch: The rate in force is `lr · pictures / reference_batch`, pictures counted
            over all ranks; null takes `lr` as it is.
        momentum: Of LARS and SGD.
        weight_decay: L2 penalty (decoupled for AdamW alone).
        exclude_bias_and_norm: Neither decay nor adapt biases and normalisation scales. The
            published recipe does both to all of them.
        layer_decay: Each stage, or block of a transformer, learns at this share of the rate of the
            one after it, down to the stem; the head learns at the full rate. 1 is off.
        warmup_epochs: Epochs of linear warm-up, counted in steps.
        final_share: The cosine falls to this share of the full rate.
        drops: Shares of the training, 0 to 1, at which the rate falls to a tenth; steps in place of
            the cosine where there are any.
    """

    name: Literal["lars", "adamw", "sgd", "adam"] = "lars"
    lr: float = 0.3
    reference_batch: int | None = 256
    momentum: float = 0.9
    weight_decay: float = 1e-6
    exclude_bias_and_norm: bool = False
    layer_decay: float = 1.0
    warmup_epochs: float = 5.0
    final_share: float = 0.0
    drops: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum got {self.momentum}; expected 0 to below 1")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay got {self.weight_decay}; expected 0 or more")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay got {self.layer_decay}; expected above 0, and at most 1")
        if self.lr <= 0:
            raise ValueError(f"lr got {self.lr}; expected a number above 0")
        if self.reference_batch is not None and self.reference_batch < 1:
            raise ValueError(f"reference_batch got {self.reference_batch}; expected at least 1")
        if self.warmup_epochs < 0:
            raise ValueError(f"warmup_epochs got {self.warmup_epochs}; expected 0 or more")
        if not 0 <= self.final_share <= 1:
            raise ValueError(f"final_share got {self.final_share}; expected 0 to 1")
        if not all(0 < share < 1 for share in self.drops):
            raise ValueError(
                f"drops got {list(self.drops)}; expected shares of the training, between 0 and 1"
            )
        if self.drops and self.final_share:
            raise ValueError("drops and final_share are both given; the rate falls in one way only")

    def rate(self, pictures: int) -> float:
        """The full learning rate for `pictures` pictures a step over all ranks."""
        return self.lr * pictures / self.reference_batch if self.reference_batch else self.lr
