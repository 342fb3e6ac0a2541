"""What a training shows of its steps: a bar in a terminal, now and then a line in a log."""

import math
from contextlib import ExitStack
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar

from sscd.terminal import Work, current_mode, in_terminal, working


class UnhurriedProgressBar(RichProgressBar):
    """A bar that reads figures from the device at the trainer's log interval, not at every step.

    Each reading waits for all that the device has been given, and a GPU would idle meanwhile.
    """

    _figures: dict[str, Any] | None = None

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """The figures beside the bar, as of the last reading."""
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        amid_steps = trainer.training and trainer.global_step % every != 0
        if self._figures is None or not amid_steps:
            self._figures = dict(super().get_metrics(trainer, pl_module))
        return self._figures

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read the last step's."""
        self._figures = None
        super().on_train_epoch_end(trainer, pl_module)


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


def progress_bar() -> RichProgressBar:
    """A bar on the error stream with the loss parts, views a second and the last micro-AP."""
    return UnhurriedProgressBar(refresh_rate=5, leave=True, console_kwargs={"stderr": True})


def progress_callbacks(wanted: bool | None) -> list[Callback]:
    """What shows the steps here: nothing, a bar, or lines.

    Args:
        wanted: The trainer's `enable_progress_bar`.
    """
    if wanted is False or current_mode().quiet:
        return []
    return [progress_bar()] if in_terminal() else [StepLines()]
