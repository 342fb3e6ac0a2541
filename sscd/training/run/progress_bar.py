"""What a training shows of its steps: a bar in a terminal, now and then a line in a log."""

import math
from contextlib import ExitStack
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar

from sscd.terminal import Work, current_mode, in_terminal, working

_FIRST = ("loss", "μAP", "views/s")
"""Figures that a narrow terminal shows before others."""


class EpochBar(ProgressBar):
    """A bar for each epoch, which shares its display with those of validations.

    It reads figures from the device at the trainer's log interval, not at every step: each reading
    waits for all that the device has been given, and a GPU would idle meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.figures: dict[str, str] = {}
        """Name → value as shown, as of the last reading; what matters most comes first."""
        self._held = ExitStack()
        self._work: Work | None = None

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin the epoch's bar, amid the epoch where a resumed training goes on there."""
        if self._work is None and trainer.is_global_zero:
            self._work = self._held.enter_context(
                working(_epoch(trainer), total=self._batches(), unit="batches")
            )
            self._work.note(self.figures)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch."""
        if self._work is not None:
            self._work.move_to(batch_idx + 1)
            every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
            if not self.figures or trainer.global_step % every == 0:
                self._read(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read the validation's figures."""
        self._read(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read the last step's, and leave the finished bar."""
        self._read(trainer)
        self._end()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Draw no more."""
        self._end()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Draw no more."""
        self._end()

    def disable(self) -> None:
        """Nothing to do: ranks other than the first show no bar."""

    def enable(self) -> None:
        """Nothing to do: a bar is there only where one is wanted."""

    def _batches(self) -> int | None:
        total = self.total_train_batches
        return int(total) if math.isfinite(total) else None

    def _read(self, trainer: Trainer) -> None:
        if self._work is None:
            return
        read = trainer.progress_bar_metrics
        ordered = [name for name in _FIRST if name in read]
        ordered += [name for name in read if name not in _FIRST]
        self.figures = {name: _written(name, read[name]) for name in ordered}
        self._work.note(self.figures)

    def _end(self) -> None:
        self._held.close()
        self._work = None


def _epoch(trainer: Trainer) -> str:
    last = trainer.max_epochs
    of = f"/{last}" if last is not None and last > 0 else ""
    return f"Epoch {trainer.current_epoch + 1}{of}"


def _written(name: str, value: float) -> str:
    return f"{value:,.0f}" if name.endswith("/s") else f"{value:.3f}"


class StepLines(Callback):
    """Says now and then, where no bar can be shown, how far the steps are and when they end."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._work = Work()
        self._first = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count."""
        if not trainer.is_global_zero:
            return
        self._first = trainer.global_step
        steps = trainer.estimated_stepping_batches
        left = int(steps) - self._first if math.isfinite(steps) else None
        name = f"training from step {self._first:,}" if self._first else "training"
        self._work = self._held.enter_context(working(name, total=left, unit="steps"))

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Count a step."""
        self._work.move_to(trainer.global_step - self._first)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say the last."""
        self._held.close()


def progress_callbacks(wanted: bool | None) -> list[Callback]:
    """What shows the steps here: nothing, a bar, or lines.

    Args:
        wanted: The trainer's `enable_progress_bar`.
    """
    if wanted is False or current_mode().quiet:
        return []
    return [EpochBar()] if in_terminal() else [StepLines()]
