"""`last.ckpt`: always whole, every few steps, and from where the run goes on as if nothing was."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.trainer.states import TrainerFn
from torch import distributed

from sscd.errors import Stopped, UserError
from sscd.terminal import warn
from sscd.training.checkpoints.place import (
    fit_loops,
    mark_validation_done,
    mark_validation_due,
    rewind_to_step,
)
from sscd.training.checkpoints.stop_signals import GO_ON, StopSignals
from sscd.training.steps.delayed import DelayedReader

_Moment = Literal["step", "validation", "waiting", "other"]


class LastCheckpoint(Checkpoint):
    """Saves where the training is, and stops it there when asked to.

    Saved are every n-th optimiser step, the moment before each validation and the end of each
    epoch; the step after which a signal stops the run; and, where the data fails in the midst of an
    epoch, the step before.

    Args:
        path: `last.ckpt`.
        every: Optimiser steps between saves within an epoch; None for none.
        signals: Whether somebody asked this process to stop.
        checks: Called before each save; raise what must not be saved.
    """

    def __init__(
        self,
        path: Path,
        *,
        every: int | None = None,
        signals: StopSignals | None = None,
        checks: tuple[Callable[[Trainer, Any], None], ...] = (),
    ) -> None:
        if every is not None and every < 1:
            raise UserError(
                f"save_every got {every}; expected a number of steps from 1 on, or null"
            )
        self.path = path
        self.every = every
        self.signals = signals or StopSignals()
        self.checks = checks
        self._moment: _Moment = "other"
        self._stops = DelayedReader()
        self._stopping = False
        self._step = self._saved = -1
        self._shared_batches: list[int] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From now on, signals wait for the end of a step.

        Raises:
            UserError: The run could not go on as if nothing had been, or is at its end already.
        """
        _check_schedule(trainer)
        self._step = self._saved = trainer.global_step
        launcher: Any = trainer.strategy.launcher
        self.signals.last_resort = [child.pid for child in getattr(launcher, "procs", [])]
        loop: Any = trainer.fit_loop.epoch_loop
        loop.after_batch = functools.partial(self._after_batch, trainer)
        self.signals.armed = True

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """A step is under way."""
        self._moment = "other"

    def _after_batch(self, trainer: Trainer) -> None:
        """Save every few steps, and where the run shall stop, once all is logged."""
        if trainer.global_step != self._step:
            self._step = trainer.global_step
            self._after_step(trainer)
        self._moment = "waiting"

    def _after_step(self, trainer: Trainer) -> None:
        if self._all_asked(trainer, late=True):
            self._stopping = True
        if trainer.is_last_batch:
            return  # the epoch's end is saved
        if self._stopping or (self.every and trainer.global_step % self.every == 0):
            self._save(trainer, "step")
        self._leave(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save before a validation, which may take long; it is done again if it is cut short."""
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:
            return
        self._save(trainer, "validation")
        self._stopping |= self._all_asked(trainer)
        self._leave(trainer)
        self._shared_batches = _fewest_batches(trainer)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop amid a validation, at a batch that every rank has."""
        if self._shared_batches and batch_idx < self._shared_batches[dataloader_idx]:
            self._stopping |= self._all_asked(trainer)
            self._leave(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Validations that are not part of the training are not stopped."""
        self._shared_batches = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the end of the epoch."""
        self._save(trainer, "other")
        self._stopping |= self._all_asked(trainer)
        self._leave(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Keep the last step where the next batch could not be had; no rank is waited for."""
        self.signals.armed = False
        failed = isinstance(exception, Exception) and self._moment == "waiting"
        if not failed or not trainer.is_global_zero or trainer.global_step == self._saved:
            return
        try:
            for check in self.checks:
                check(trainer, pl_module)
            checkpoint = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
            accumulated = trainer.accumulate_grad_batches
            if rewind_to_step(fit_loops(checkpoint), accumulated=accumulated):
                trainer.strategy.checkpoint_io.save_checkpoint(checkpoint, self.path)
        except UserError as error:
            warn(f"what was trained since the last checkpoint is lost: {error}")

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Put the counters of any checkpoint right for the moment it is of."""
        loops = fit_loops(checkpoint)
        if self._moment == "validation":
            mark_validation_due(loops)
        else:
            mark_validation_done(loops)
        if self._moment == "step":
            rewind_to_step(loops, accumulated=trainer.accumulate_grad_batches)

    def _save(self, trainer: Trainer, moment: _Moment) -> None:
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        for check in self.checks:
            check(trainer, trainer.lightning_module)
        self._moment = moment
        trainer.save_checkpoint(self.path)
        self._moment = "other"
        self._saved = trainer.global_step

    def _all_asked(self, trainer: Trainer, *, late: bool = False) -> bool:
        """Whether any rank was asked to stop; all ranks call this at the same moments.

        Args:
            trainer: The trainer.
            late: Answer for some steps ago on a GPU, rather than wait for it.
        """
        asked = self.signals.received is not None
        if not distributed.is_initialized():
            return asked
        flag = torch.full((), float(asked), device=trainer.strategy.root_device)
        distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
        self._stops.push(trainer.global_step, {"asked": flag})
        answers = list(self._stops.pop() if late else self._stops.drain())
        return any(values["asked"] > 0 for _, values in answers)

    def _leave(self, trainer: Trainer) -> None:
        if not self._stopping:
            return
        self.signals.armed = False
        message = self.signals.explain(GO_ON) if trainer.is_global_zero else ""
        raise Stopped(message, status=self.signals.status)


def _check_schedule(trainer: Trainer) -> None:
    added = trainer.accumulate_grad_batches
    every = float(trainer.val_check_batch or math.inf)
    if every < trainer.num_training_batches and every % added:
        raise UserError(
            f"trainer.val_check_interval comes to {every:g} batches, and a step adds up {added} "
            f"(trainer.accumulate_grad_batches), whose gradients are not saved amid it; give a "
            f"multiple of {added}"
        )
    total = trainer.estimated_stepping_batches
    more = trainer.max_epochs is None or trainer.current_epoch < trainer.max_epochs
    loop: Any = trainer.fit_loop.epoch_loop
    if trainer.global_step and trainer.global_step >= total and more and not loop.validation_due:
        raise UserError(
            f"the checkpoint is of step {trainer.global_step}, and this training has {total:g}; "
            "raise trainer.max_epochs, or keep data.batch_size"
        )


def _fewest_batches(trainer: Trainer) -> list[int]:
    """Of each validation set, how many batches every rank has."""
    counts = torch.tensor(
        [float(count) for count in trainer.num_val_batches], device=trainer.strategy.root_device
    )
    if distributed.is_initialized():
        distributed.all_reduce(counts, op=distributed.ReduceOp.MIN)
    return [int(count) for count in counts.tolist()]
