"""What is made of each validation: `evaluation.h5` of the best, and panels in W&B."""

from pathlib import Path
from typing import Any, Protocol

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.trainer.states import TrainerFn

from sscd.data.descriptors import Descriptors
from sscd.evaluation.judged import Judged
from sscd.formats.evaluation_file import write_evaluations
from sscd.terminal import warn
from sscd.training.run.judgement import ValidationJudge
from sscd.training.run.run_directory import RunDirectory

_Stamp = tuple[int, int, int] | None


class ValidationReader(Protocol):
    """Who else wants to know of validations, on rank 0."""

    def begin(self, trainer: Trainer, detector: Any) -> None:
        """The training begins."""
        ...

    def validated(self, trainer: Trainer, detector: Any, judged: Judged, *, best: bool) -> None:
        """A validation has ended, and its checkpoints are saved."""
        ...

    def ended(self, error: BaseException) -> None:
        """The training ends before its time."""
        ...


class ValidationReports(Checkpoint):
    """Keeps the evaluation of `best.ckpt` beside it, and tells a reader of every validation.

    It is a `Checkpoint` for its place alone: Lightning calls these after all other callbacks, and
    in the order given, so that it stands after the one that saves `best.ckpt`.

    Args:
        run: The run directory.
        reader: Who wants to know.
    """

    def __init__(self, run: RunDirectory, reader: ValidationReader | None = None) -> None:
        self._run = run
        self._reader = reader
        self._judge = ValidationJudge(run)
        self._best = _stamp(run.best)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Know the best checkpoint of a run that goes on."""
        self._best = _stamp(self._run.best)
        if self._reader and trainer.is_global_zero:
            self._reader.begin(trainer, pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write, and tell."""
        fitting = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if not fitting or not trainer.is_global_zero:
            return
        # A checkpoint is written beside the old one and renamed: a new one is another file.
        stamp = _stamp(self._run.best)
        best = stamp is not None and stamp != self._best
        self._best = stamp
        if not best and self._reader is None:
            return
        judged = self._judge.judge(trainer, pl_module)
        if judged is None:
            return
        if best:
            self._write(judged)
        if self._reader:
            self._reader.validated(trainer, pl_module, judged, best=best)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Tell why a training ends before its time."""
        if self._reader and trainer.is_global_zero:
            self._reader.ended(exception)

    def _write(self, judged: Judged) -> None:
        try:
            write_evaluations(self._run.evaluation, [judged])
        except Exception as error:  # any: an evaluation is not worth the training
            warn(f"the evaluation of {self._run.best} is not kept: {error}")
            self._run.evaluation.unlink(missing_ok=True)  # it is of the checkpoint before


def described_by(detector: Any) -> tuple[Descriptors, Descriptors] | None:
    """Queries and references of the last validation, which the detector forgets."""
    described: tuple[Descriptors, Descriptors] | None = detector.described
    detector.described = None
    return described


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
