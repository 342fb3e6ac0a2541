"""The parts that every run's trainer gets: callbacks, checkpoints, and what its devices allow."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, RichProgressBar
from lightning.pytorch.cli import SaveConfigCallback

from sscd.files import atomic_path
from sscd.training.guard import DivergenceGuard
from sscd.training.progress import EpochLine
from sscd.training.run_directory import RunDirectory
from sscd.training.throughput import Throughput
from sscd.training.unreadable import UnreadablePictures


def as_list(value: Any) -> list[Any]:
    """Nothing, one thing or several, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def device_settings(accelerator: Any, *, precision: Any) -> dict[str, Any]:
    """Trainer settings that depend on the device, where the configuration leaves them open."""
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    # torch's synchronised batch norm runs on GPUs only; Lightning applies it under DDP.
    settings: dict[str, Any] = {"sync_batchnorm": on_gpu}
    if precision is None and on_gpu and torch.cuda.is_bf16_supported():
        settings["precision"] = "bf16-mixed"
    return settings


def run_callbacks(run: RunDirectory) -> list[Callback]:
    """What happens around the steps of every run."""
    return [
        DivergenceGuard(),
        Throughput(),
        UnreadablePictures(run.path),
        LearningRateMonitor("step"),
        EpochLine(),
        *checkpoints(run),
    ]


def checkpoints(run: RunDirectory) -> list[ModelCheckpoint]:
    """Keep the best checkpoint by micro-AP, and the newest of every epoch, validated or not."""
    best = ModelCheckpoint(
        dirpath=run.checkpoints,
        filename=run.best.stem,
        monitor="val/micro_ap",
        mode="max",
        save_on_train_epoch_end=False,
        enable_version_counter=False,
    )
    last = ModelCheckpoint(
        dirpath=run.checkpoints,
        filename=run.last.stem,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return [best, last]


def progress_bar() -> RichProgressBar:
    """A bar on the error stream with the loss parts, views a second and the last micro-AP."""
    return RichProgressBar(refresh_rate=5, leave=True, console_kwargs={"stderr": True})


class SaveResolvedConfig(SaveConfigCallback):
    """Saves the resolved configuration; that of a resumed run stands beside the first."""

    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Write `config.yaml`, or `config-resumed-1.yaml` and so on."""
        if not trainer.is_global_zero or self.already_saved:
            return
        directory = Path(trainer.default_root_dir)
        target, number = directory / "config.yaml", 0
        while target.exists():
            number += 1
            target = directory / f"config-resumed-{number}.yaml"
        replayable = self.config.clone()
        replayable["run_dir"] = None
        replayable["ckpt_path"] = None
        if replayable["data"]["root"]:  # so that it replays from any directory
            replayable["data"]["root"] = Path(replayable["data"]["root"]).absolute()
        text = self.parser.dump(replayable, skip_none=False)
        with atomic_path(target) as temporary:
            temporary.write_text(text)
        self.already_saved = True
