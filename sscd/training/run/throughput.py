"""Views a second, and how much of the time is spent waiting for data."""

import time
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from sscd.data.loading.step_loader import StepLoader
from sscd.data.loading.view_batch import ViewBatch


class Throughput(Callback):
    """Logs training views a second over all ranks, and the share of time spent waiting for data.

    Both are of the steps since the last log. The host runs ahead of a GPU by a step or two at most,
    which the many steps between two logs even out. Validation is not counted, nor what is saved,
    reported and sent of it.
    """

    def __init__(self) -> None:
        self._views = 0
        self._since = 0.0
        self._waited = 0.0
        self._paused: tuple[float, float] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting; a run that goes on amid an epoch does not start that epoch."""
        self._restart(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting afresh."""
        self._restart(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock."""
        self._paused = time.perf_counter(), _waited(trainer) or 0.0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: ViewBatch, batch_idx: int
    ) -> None:
        """Let the clock go on after a validation, and all that was made of it."""
        if self._paused is not None:
            began, waited = self._paused
            for_data = (_waited(trainer) or 0.0) - waited  # for this batch, which counts
            self._since += time.perf_counter() - began - for_data
            self._paused = None

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ViewBatch,
        batch_idx: int,
    ) -> None:
        """Count this batch, and log at the trainer's interval and at the end."""
        self._views += batch.contents.shape[0] * batch.contents.shape[1]
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if trainer.global_step % every == 0 or trainer.fit_loop.epoch_loop._is_training_done:
            seconds = max(time.perf_counter() - self._since, 1e-9)
            rate = _on_device(self._views * trainer.world_size / seconds, pl_module)
            pl_module.log("train/views_per_s", rate)
            pl_module.log("views/s", rate, prog_bar=True, logger=False)
            waited = _waited(trainer)
            if waited is not None:
                share = _on_device((waited - self._waited) / seconds, pl_module)
                pl_module.log("train/data_wait", share)
            self._restart(trainer)

    def _restart(self, trainer: Trainer) -> None:
        self._views, self._waited = 0, _waited(trainer) or 0.0
        self._since = time.perf_counter()
        self._paused = None


def _waited(trainer: Trainer) -> float | None:
    """Seconds that the training has waited for its loader so far; None for loaders of others."""
    loader = trainer.train_dataloader
    return loader.waited if isinstance(loader, StepLoader) else None


def _on_device(value: float, pl_module: LightningModule) -> torch.Tensor:
    # Lightning would copy a plain number to the device, and wait for that.
    return torch.full((), value, device=pl_module.device)
