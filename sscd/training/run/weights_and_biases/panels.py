"""Each validation of a training in W&B: its report as panels, and its artifacts."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer

from sscd.errors import Stopped
from sscd.evaluation.judged import Judged
from sscd.evaluation.report import Report, make_report
from sscd.formats.track2.layouts import MAX_DIMENSIONS
from sscd.report.weights_and_biases.panels import panels_of
from sscd.report.weights_and_biases.thumbnails import PictureSets
from sscd.terminal import warn
from sscd.training.run.git_state import git_state
from sscd.training.run.reports import described_by
from sscd.training.run.run_directory import RunDirectory
from sscd.training.run.weights_and_biases.artifacts import (
    Staged,
    Version,
    log_artifact,
    stage_checkpoint,
    stage_descriptors,
)
from sscd.training.run.weights_and_biases.log import STEP, WandbLog

SAMPLES = 1000
"""Resamples of the interval: as many as those of other reports, so that all say the same."""
_CONFIG_FILE = "resolved_config.yaml"  # W&B writes a `config.yaml` of its own


class WandbPanels:
    """Tells W&B what the training is, and of each of its validations.

    Args:
        log: Where to.
        run: The run directory.
        settings: The resolved configuration, YAML.
    """

    def __init__(self, log: WandbLog, run: RunDirectory, *, settings: str) -> None:
        self._log = log
        self._run = run
        self._settings = settings

    def begin(self, trainer: Trainer, detector: Any) -> None:
        """Send the configuration, the state of the code and what identifies the data."""
        import yaml

        if self._log not in trainer.loggers:  # a `fast_dev_run`
            return
        self._keep_descriptors(detector)
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        state = git_state()
        config = {
            **yaml.safe_load(self._settings),
            "git": dataclasses.asdict(state) if state else None,
            "training_data": data.training_data(),
            "run_dir": str(self._run.path.absolute()),
        }
        self._log.log_hyperparams(config)
        self._log.do(lambda run: _save_text(run, _CONFIG_FILE, self._settings))

    def validated(self, trainer: Trainer, detector: Any, judged: Judged, *, best: bool) -> None:
        """Send a validation's panels, and stage its artifacts."""
        described = described_by(detector)
        if self._log not in trainer.loggers:
            return
        try:
            report = make_report(judged, samples=SAMPLES)
        except Exception as error:  # any: a report is not worth the training
            warn(f"no panels of the validation in Weights & Biases: {error}")
            return
        self._log.log_hyperparams({"validation": _what_is_judged(report)})
        self._show(trainer, report)
        wanted = self._log.config.artifacts
        if wanted == "all" or (wanted == "best" and best):
            version = Version(trainer.global_step, best, _metadata(trainer, report))
            checkpoint = self._run.best if best else self._run.last
            staging = self._log.staging
            self._send(lambda: stage_checkpoint(staging, checkpoint, version))
            if described:
                origin = report.origin
                self._send(lambda: stage_descriptors(staging, described, origin, version))

    def ended(self, error: BaseException) -> None:
        """Let the run's state in W&B be that of a stopped, or of a failed training."""
        self._log.exit_code = error.status if isinstance(error, Stopped) else 1

    def _show(self, trainer: Trainer, report: Report) -> None:
        collection: Any = trainer.datamodule.collection  # type: ignore[attr-defined]
        pictures = PictureSets(collection.queries, collection.references)
        # The row on which Lightning puts the figures of the validation.
        step = trainer.fit_loop.epoch_loop._batches_that_stepped
        rows = self._log.config.pictures

        def show(run: Any) -> None:
            run.log(panels_of(report, pictures, rows=rows) | {STEP: step}, step=step)

        self._log.do(show, asks_server=True)

    def _send(self, stage: Callable[[], Staged]) -> None:
        """Stage a file now, before it changes, and have it kept as an artifact later."""
        try:
            staged = stage()
        except Exception as error:  # any: an artifact is not worth the training
            warn(f"an artifact of Weights & Biases is left out: {error}")
            return
        self._log.do(lambda run: log_artifact(run, staged), asks_server=True)

    def _keep_descriptors(self, detector: Any) -> None:
        dims = detector.network.config.dims
        wanted = self._log.config.artifacts != "none"
        if wanted and dims > MAX_DIMENSIONS:
            warn(
                f"descriptors of {dims} dimensions are no artifact of Weights & Biases: "
                f"track 2 takes at most {MAX_DIMENSIONS}"
            )
        detector.keeps_descriptors = wanted and dims <= MAX_DIMENSIONS


def _what_is_judged(report: Report) -> dict[str, Any]:
    """What stands beside the figures."""
    figures = report.figures
    return {
        "data": report.data,
        "protocol": figures.protocol,
        "queries": figures.queries,
        "references": figures.references,
        "true_pairs": figures.true_pairs,
        "warnings": list(report.warnings),
    }


def _metadata(trainer: Trainer, report: Report) -> dict[str, Any]:
    return {
        "step": trainer.global_step,
        "epoch": trainer.current_epoch,
        "data": report.data,
        "figures": report.figures.as_json(),
        "model_fingerprint": report.origin.model,
        "preprocessing": report.origin.preprocessing,
    }


def _save_text(run: Any, name: str, text: str) -> None:
    path = Path(run.dir).absolute() / name
    path.write_text(text, encoding="utf-8")
    run.save(str(path), base_path=str(path.parent), policy="now")
