"""Sees a run whose descriptors collapse or whose loss explodes, in the statistics of its steps.

Where all descriptors become alike no loss term brings them back: the entropy of a fully collapsed
pair has no gradient (its distance is clamped), and InfoNCE rests at the value of guessing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lightning.pytorch import Callback, Trainer

from sscd.errors import UserError
from sscd.terminal import warn
from sscd.training.module import CopyDetector
from sscd.training.steps.delayed import DelayedReader

_FOR_COLLAPSE = (
    "lower model.optimizer.lr, lengthen model.optimizer.warmup_epochs, or raise "
    "model.objective.entropy_weight; what has collapsed stays so, so start anew"
)
_FOR_EXPLOSION = (
    "lower model.objective.entropy_weight, let it grow later and slower "
    "(model.objective.entropy_delay, entropy_ramp), or lower model.optimizer.lr"
)


@dataclass(frozen=True)
class GuardConfig:
    """What counts as a collapse or an explosion, and what happens then.

    One of the limits must be passed in each of `patience` steps in a row, after `grace`: a random
    network describes all pictures alike, and needs some steps to leave that.

    Attributes:
        on_collapse: `warn` once, `stop` the training with advice, or `ignore`.
        nearest_negative_similarity: Mean similarity of each view to its nearest negative, 1 where
            all are alike; collapsed above this.
        center_norm: Norm of the mean descriptor, 1 where all are alike; collapsed above this.
        effective_rank: Directions that descriptors use (participation ratio of their second
            moment), 1 where all are alike; collapsed below this.
        explosion: InfoNCE as a multiple of what guessing among the negatives gives; exploded above
            this.
        patience: Optimiser steps in a row.
        grace: Share of the training, 0 to 1, in which nothing is judged.
    """

    on_collapse: Literal["warn", "stop", "ignore"] = "warn"
    nearest_negative_similarity: float = 0.995
    center_norm: float = 0.985
    effective_rank: float = 1.06
    explosion: float = 1.5
    patience: int = 50
    grace: float = 0.1

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise ValueError(f"guard.patience got {self.patience}; expected at least 1")
        if not 0 <= self.grace <= 1:
            raise ValueError(f"guard.grace got {self.grace}; expected 0 to 1")
        if self.explosion <= 1:
            raise ValueError(f"guard.explosion got {self.explosion}; expected more than 1")


class CollapseDetector:
    """Looks at one step after the other.

    Args:
        config: The limits.

    Example:
        >>> detector = CollapseDetector(GuardConfig(patience=2))
        >>> collapsed = {"center_norm": 0.999}
        >>> detector.look(collapsed, chance=5.0), detector.look(collapsed, chance=5.0)
        ('', 'center_norm 0.999 is above 0.985')
    """

    def __init__(self, config: GuardConfig) -> None:
        self.config = config
        self._passed = 0

    def look(self, seen: Mapping[str, float], *, chance: float) -> str:
        """What is wrong, once it has been for long enough; empty where nothing is.

        Args:
            seen: Statistics of a step by their names; what is missing is not judged.
            chance: InfoNCE of guessing.
        """
        wrong = self._wrong(seen, chance)
        self._passed = self._passed + 1 if wrong else 0
        return wrong if self._passed >= self.config.patience else ""

    def _wrong(self, seen: Mapping[str, float], chance: float) -> str:
        above = {
            "nearest_negative_similarity": self.config.nearest_negative_similarity,
            "center_norm": self.config.center_norm,
            "info_nce": self.config.explosion * chance,
        }
        for name, limit in above.items():
            if name in seen and seen[name] > limit:
                return f"{name} {seen[name]:.4g} is above {limit:.4g}"
        rank = seen.get("effective_rank", math.inf)
        if rank < self.config.effective_rank:
            return f"effective_rank {rank:.3g} is below {self.config.effective_rank:.3g}"
        return ""


def loss_of_guessing(pictures: int, rows: int, *, ranks: int) -> float:
    """InfoNCE where a view's copy is as near as any row of another picture.

    Args:
        pictures: Of a rank's batch.
        rows: Of a picture: views, local views and the unedited picture.
        ranks: W.

    >>> round(math.exp(loss_of_guessing(8, 3, ranks=2)))  # one copy, three rows of 15 others
    46
    """
    return math.log(max(2, (pictures * ranks - 1) * rows + 1))


class CollapseGuard(Callback):
    """Warns of, or stops, a run that has collapsed or exploded.

    The statistics are means over all ranks, read some steps late on a GPU: all ranks stop together
    and no device waits.

    Args:
        config: The limits, and what to do.
        delay: As of `DelayedReader`.
    """

    def __init__(self, config: GuardConfig, *, delay: int | None = None) -> None:
        self.config = config
        self._detector = CollapseDetector(config)
        self._reader = DelayedReader(delay)
        self._step = -1
        self._said = config.on_collapse == "ignore"

    def on_train_batch_end(  # type: ignore[override]
        self,
        trainer: Trainer,
        pl_module: CopyDetector,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Look at the steps whose statistics have come."""
        if self._said or trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        self._reader.push(self._step, pl_module.last_statistics)
        chance = loss_of_guessing(*batch.contents.shape[:2], ranks=trainer.world_size)
        for step, seen in self._reader.pop():
            if step > self.config.grace * trainer.estimated_stepping_batches:
                self._judge(step, self._detector.look(seen, chance=chance), trainer)

    def _judge(self, step: int, wrong: str, trainer: Trainer) -> None:
        if not wrong or self._said:
            return
        self._said = True
        exploded = wrong.startswith("info_nce")
        what, advice = ("exploded", _FOR_EXPLOSION) if exploded else ("collapsed", _FOR_COLLAPSE)
        message = (
            f"training {what} by step {step}: train/{wrong}, after {self.config.patience} such "
            f"steps in a row; {advice}"
        )
        if self.config.on_collapse == "stop":
            raise UserError(f"{message}; guard.on_collapse warn goes on in spite of it")
        if trainer.is_global_zero:
            warn(f"{message}; guard.on_collapse stop would end such a run")
