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

from sscd.files import atomic_path

LoggerName = Literal["csv", "wandb"]


class _AppendingWriter(ExperimentWriter):
    """Lightning's writer deletes the file of an earlier run; a resumed run goes on in it."""

    def _check_log_dir_exists(self) -> None:
        earlier = Path(self.metrics_file_path)
        if earlier.is_file():
            with earlier.open(newline="") as file:
                self.metrics_keys = next(csv.reader(file), [])


class MetricsFile(CSVLogger):
    """Writes `metrics.csv` in the run directory, and appends to it when the run is resumed.

    Args:
        run_dir: Where the file goes.
        resumed_at: The step a resumed run begins at; what an interrupted run logged from there on
            is cut, since it is done again.
    """

    def __init__(self, run_dir: Path, *, resumed_at: int | None = None) -> None:
        super().__init__(run_dir, name="", version="", flush_logs_every_n_steps=20)
        self._resumed_at = resumed_at

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """The writer behind this logger."""
        if not isinstance(self._experiment, ExperimentWriter):
            if self._resumed_at is not None:
                _cut(Path(self.log_dir) / ExperimentWriter.NAME_METRICS_FILE, self._resumed_at)
            self._experiment = _AppendingWriter(log_dir=self.log_dir)
        return self._experiment


def _cut(path: Path, step: int) -> None:
    if not path.is_file():
        return
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        kept = [row for row in reader if row["step"].isdigit() and int(row["step"]) < step]
        keys = reader.fieldnames or []
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, keys, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)


def build_loggers(
    name: LoggerName, run_dir: Path, *, project: str, resumed_at: int | None = None
) -> list[Logger]:
    """The loggers of a run.

    Args:
        name: `csv`, or `wandb` for both.
        run_dir: Where their files go.
        project: The Weights & Biases project.
        resumed_at: The step a resumed run begins at.
    """
    loggers: list[Logger] = [MetricsFile(run_dir, resumed_at=resumed_at)]
    if name == "wandb":
        from lightning.pytorch.loggers import WandbLogger

        loggers.append(
            WandbLogger(name=run_dir.name, save_dir=run_dir, project=project, mode=wandb_mode())
        )
    return loggers


def wandb_mode() -> Literal["online", "offline", "disabled"]:
    """How Weights & Biases runs without asking a question: online only with a key at hand."""
    match os.environ.get("WANDB_MODE"):
        case "disabled":
            return "disabled"
        case "offline" | "dryrun":
            return "offline"
    return "online" if _has_key() else "offline"


def _has_key() -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    address = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")
    try:
        found = netrc.netrc(os.environ.get("NETRC")).authenticators(
            urlparse(address).hostname or ""
        )
    except (OSError, netrc.NetrcParseError):
        return False
    return found is not None
