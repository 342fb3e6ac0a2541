"""Loggers: a CSV file always, Weights & Biases on request."""

import csv
import netrc
import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlparse

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger, Logger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

LoggerName = Literal["csv", "wandb"]


class _AppendingWriter(ExperimentWriter):
    """Lightning's writer deletes the file of an earlier run; a resumed run goes on in it."""

    def _check_log_dir_exists(self) -> None:
        earlier = Path(self.metrics_file_path)
        if earlier.is_file():
            with earlier.open(newline="") as file:
                self.metrics_keys = next(csv.reader(file), [])


class MetricsFile(CSVLogger):
    """Writes `metrics.csv` in the run directory, and appends to it when the run is resumed."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(run_dir, name="", version="", flush_logs_every_n_steps=20)

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """The writer behind this logger."""
        if not isinstance(self._experiment, ExperimentWriter):
            self._experiment = _AppendingWriter(log_dir=self.log_dir)
        return self._experiment


def build_loggers(name: LoggerName, run_dir: Path, *, project: str) -> list[Logger]:
    """The loggers of a run.

    Args:
        name: `csv`, or `wandb` for both.
        run_dir: Where their files go.
        project: The Weights & Biases project.
    """
    loggers: list[Logger] = [MetricsFile(run_dir)]
    if name == "wandb":
        from lightning.pytorch.loggers import WandbLogger

        loggers.append(
            WandbLogger(
                name=run_dir.name, save_dir=run_dir, project=project, offline=not has_wandb_key()
            )
        )
    return loggers


def has_wandb_key() -> bool:
    """Whether Weights & Biases can log in without asking a question."""
    if mode := os.environ.get("WANDB_MODE"):
        return mode == "online"
    if os.environ.get("WANDB_API_KEY"):
        return True
    address = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")
    try:
        return netrc.netrc().authenticators(urlparse(address).hostname or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False
