"""The bar of a training in a terminal."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar


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


def progress_bar() -> RichProgressBar:
    """A bar on the error stream with the loss parts, views a second and the last micro-AP."""
    return UnhurriedProgressBar(refresh_rate=5, leave=True, console_kwargs={"stderr": True})
