"""The parts that every run's trainer gets: callbacks, checkpoints, and what its devices allow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.cli import SaveConfigCallback

from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.training.checkpoints.best_checkpoint import BestCheckpoint
from sscd.training.checkpoints.last_checkpoint import LastCheckpoint
from sscd.training.checkpoints.stop_signals import StopSignals
from sscd.training.guards.collapse import CollapseGuard, GuardConfig
from sscd.training.guards.guard import DivergenceGuard
from sscd.training.run.progress import EpochLine
from sscd.training.run.reports import ValidationReader, ValidationReports
from sscd.training.run.run_directory import RunDirectory
from sscd.training.run.throughput import Throughput
from sscd.training.run.unreadable import UnreadablePictures
from sscd.training.steps.step_seed import StepSeed


def as_list(value: Any) -> list[Any]:
    """Nothing, one thing or several, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def check_trainer(settings: Mapping[str, Any]) -> None:
    """Check what would end in a run without steps or in a library's own words.

    Raises:
        UserError: The settings cannot be trained with.
    """
    if settings["default_root_dir"]:
        raise UserError("trainer.default_root_dir is the run's; give --run_dir DIR instead")
    for key in ("max_epochs", "max_steps"):
        if settings[key] == 0:
            raise UserError(f"trainer.{key} is 0, which trains nothing; give at least 1")
    gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    if settings["accelerator"] in ("gpu", "cuda") and not gpu:
        raise UserError(
            f"trainer.accelerator is {settings['accelerator']}, and torch sees no GPU here; "
            "give --trainer.accelerator cpu, or mend the driver"
        )


def _computes_in_bf16() -> bool:
    """Whether the GPU does; older ones only emulate it, slower than float32."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def device_settings(accelerator: Any, *, precision: Any) -> dict[str, Any]:
    """Trainer settings that depend on the device, where the configuration leaves them open."""
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    # torch's synchronised batch norm runs on GPUs only; Lightning applies it under DDP.
    settings: dict[str, Any] = {"sync_batchnorm": on_gpu}
    if precision is None and on_gpu and _computes_in_bf16():
        settings["precision"] = "bf16-mixed"
    return settings


def run_callbacks(
    run: RunDirectory,
    *,
    seed: int,
    guard: GuardConfig,
    save_every: int | None = None,
    signals: StopSignals | None = None,
    reader: ValidationReader | None = None,
) -> list[Callback]:
    """What happens around the steps of every run.

    Args:
        run: Where its files go.
        seed: Of the training.
        guard: What counts as a collapse, and what happens then.
        save_every: Optimiser steps between checkpoints within an epoch.
        signals: Whether somebody asked this process to stop.
        reader: Who is told of each validation, beside `evaluation.h5`.
    """
    divergence = DivergenceGuard()
    return [
        StepSeed(seed),
        divergence,
        CollapseGuard(guard),
        Throughput(),
        UnreadablePictures(run.path),
        LearningRateMonitor("step"),
        EpochLine(),
        BestCheckpoint(run.best),
        ValidationReports(run, reader),
        LastCheckpoint(run.last, every=save_every, signals=signals, checks=(divergence.look,)),
    ]


def resolved_text(parser: Any, config: Any) -> str:
    """A configuration as YAML that replays from any directory.

    Args:
        parser: That of the training.
        config: All settings, with their defaults.
    """
    replayable = config.clone()
    replayable["run_dir"] = None
    replayable["ckpt_path"] = None
    if replayable["data"]["root"]:
        replayable["data"]["root"] = Path(replayable["data"]["root"]).absolute()
    if replayable["data"]["labels"]:
        replayable["data"]["labels"] = Path(replayable["data"]["labels"]).absolute()
    if replayable["model"]["weights"] and Path(replayable["model"]["weights"]).is_file():
        replayable["model"]["weights"] = str(Path(replayable["model"]["weights"]).absolute())
    text: str = parser.dump(replayable, skip_unset=False)
    return text


class SaveResolvedConfig(SaveConfigCallback):
    """Saves the resolved configuration; that of a resumed run stands beside the first."""

    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Write `config.yaml`."""
        if not (Path(trainer.default_root_dir) / "config.yaml").exists():
            self._save(trainer)

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Write `config-resumed-1.yaml` and so on, of a run that does go on."""
        self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        if not trainer.is_global_zero or self.already_saved:
            return
        directory = Path(trainer.default_root_dir)
        target, number = directory / "config.yaml", 0
        while target.exists():
            number += 1
            target = directory / f"config-resumed-{number}.yaml"
        text = resolved_text(self.parser, self.config)
        with atomic_path(target) as temporary:
            temporary.write_text(text)
        self.already_saved = True
