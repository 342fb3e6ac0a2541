"""Lightning's training loop, so that a resumed run is the run that was not interrupted.

What Lightning does not do for that is mended here, in one place, since it rests on what Lightning
keeps private:

- The loaders' places are never restored: who asks for `estimated_stepping_batches`, as learning
  rate schedules do, has the loaders made before the checkpoint's loops are read, and they are not
  told afterwards. The epoch would begin anew.
- After the checkpoint of a whole epoch the loader's workers are started before the sampler hears
  which epoch comes; they would show the pictures of the first one.
- With `max_steps`, the epoch such a checkpoint ends is counted twice; and a training that ends amid
  an epoch ends without a validation.
- The last step of an epoch is not logged unless it falls on the interval, so that a short epoch
  leaves no line.
- Each step waits for a broadcast of whether SIGTERM came to rank 0, and the handler of SIGTERM
  broadcasts in the midst of whatever the process does. `stop_signals` stops instead.
"""

from collections.abc import Callable
from typing import Any

from lightning.fabric.utilities.data import _set_sampler_epoch
from lightning.pytorch import Trainer
from lightning.pytorch.loops.fit_loop import _FitLoop
from lightning.pytorch.loops.loop import _Loop
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from lightning.pytorch.loops.utilities import _is_max_limit_reached
from lightning.pytorch.trainer.connectors.logger_connector.logger_connector import (
    _LoggerConnector,
)


class ExactEpochLoop(_TrainingEpochLoop):
    """One epoch, whose steps no signal reaches.

    Attributes:
        after_batch: Called after each batch, once it is logged, and validated where that was due;
            Lightning's hooks come before that, and a checkpoint made there loses a line of the log.
    """

    after_batch: Callable[[], None] | None = None

    def on_advance_end(self, data_fetcher: Any) -> None:
        """Validate and log, then say so."""
        super().on_advance_end(data_fetcher)
        if self.after_batch is not None:
            self.after_batch()

    @property
    def validation_due(self) -> bool:
        """Whether the checkpoint in force is of a validation that has begun and not ended."""
        progress: Any = self.val_loop.batch_progress.total
        return bool(self.restarting and progress.started > progress.completed)

    def _should_check_val_fx(self, data_fetcher: Any) -> bool:
        """After the last of `max_steps` too, wherever in an epoch that is."""
        ends = _is_max_limit_reached(self.global_step, self.max_steps)
        return super()._should_check_val_fx(data_fetcher) or (
            ends and self.trainer.enable_validation
        )

    def _broadcast_sigterm_tensor(self) -> None:
        """Nothing; Lightning's stalls the device once a step."""


class ExactFitLoop(_FitLoop):
    """All epochs, each counted once and shown its own pictures."""

    @property
    def restarting(self) -> bool:
        """Whether the epoch in force was begun by another process."""
        return self._restarting

    @restarting.setter
    def restarting(self, restarting: bool) -> None:
        progress: Any = self.epoch_progress.current
        unfinished = progress.ready != progress.processed or progress.started != progress.processed
        _Loop.restarting.fset(self, restarting and unfinished)  # type: ignore[attr-defined]

    @property
    def done(self) -> bool:
        """Whether nothing is left to do; what the last step was validated for may be."""
        steps: Any = self.epoch_loop
        return super().done and not steps.validation_due

    def run(self) -> None:
        """Begin where the checkpoint says, whatever the loaders began with before."""
        if self.is_resuming and self._data_fetcher is not None:
            self._load_combined_loader_states()
            iter(self._data_fetcher)
        super().run()

    def _load_combined_loader_states(self) -> None:
        """Tell samplers the epoch, then the place in it; iterators are made right after."""
        if self._combined_loader is not None:
            progress: Any = self.epoch_progress.current
            for loader in self._combined_loader.flattened:
                _set_sampler_epoch(loader, progress.processed)
        super()._load_combined_loader_states()


class LastStepsLogged(_LoggerConnector):
    """Logs at the trainer's interval, and the last step of each epoch and of the training."""

    @property
    def should_update_logs(self) -> bool:
        """Whether the step under way is logged."""
        trainer = self.trainer
        last = trainer.training and trainer.fit_loop.epoch_loop._is_training_done
        return super().should_update_logs or (last and trainer.log_every_n_steps > 0)  # type: ignore[attr-defined]


def use_exact_loops(trainer: Trainer) -> None:
    """Give a trainer that has not run yet the loops above, and leave its signals alone."""
    old: Any = trainer.fit_loop
    new = ExactFitLoop(trainer, min_epochs=old.min_epochs, max_epochs=old.max_epochs)
    steps = old.epoch_loop
    new.epoch_loop = ExactEpochLoop(trainer, min_steps=steps.min_steps, max_steps=steps.max_steps)
    trainer.fit_loop = new
    trainer._logger_connector = LastStepsLogged(trainer)
    trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]
