"""Views a second, and how much of the time is spent waiting for data."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from sscd.data.training_views import ViewBatch


class Throughput(Callback):
    """Logs training views a second over all ranks, and the share of time spent waiting for data."""

    def __init__(self) -> None:
        self._views = 0
        self._since = 0.0
        self._waited = 0.0
        self._batch_ended = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting afresh; validation took its own time."""
        self._restart()

    def _restart(self) -> None:
        self._views, self._waited = 0, 0.0
        self._since = self._batch_ended = time.perf_counter()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: ViewBatch, batch_idx: int
    ) -> None:
        """Count the time since the last batch as waiting."""
        self._waited += time.perf_counter() - self._batch_ended

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ViewBatch,
        batch_idx: int,
    ) -> None:
        """Count this batch, and log at the trainer's interval."""
        self._views += batch.views.shape[0] * batch.views.shape[1]
        now = self._batch_ended = time.perf_counter()
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if trainer.global_step % every == 0 or (batch_idx + 1) == trainer.num_training_batches:
            seconds = max(now - self._since, 1e-9)
            rate = self._views * trainer.world_size / seconds
            pl_module.log("train/views_per_s", rate)
            pl_module.log("views/s", rate, prog_bar=True, logger=False)
            pl_module.log("train/data_wait", self._waited / seconds)
            self._restart()
