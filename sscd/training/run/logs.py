"""Loggers: a CSV file always, Weights & Biases on request."""

import contextlib
import csv
import io
import netrc
import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlparse

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger, Logger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning.pytorch.utilities import rank_zero_only

from sscd.errors import UserError
from sscd.extras import require
from sscd.files import atomic_path
from sscd.terminal import remark, warn
from sscd.training.run.weights_and_biases.log import WandbLog
from sscd.training.run.weights_and_biases.settings import WandbConfig

LoggerName = Literal["csv", "wandb"]


class _SafeWriter(ExperimentWriter):
    """Goes on in the file of an earlier run, which a killed or failed write does not damage.

    Lightning's writer deletes that file, and rewrites it in place for each new column.
    """

    def __init__(self, log_dir: str) -> None:
        self._failed = False
        super().__init__(log_dir)

    def save(self) -> None:
        """Append what is new; rows that cannot be written wait for the next time."""
        path = Path(self.metrics_file_path)
        before = path.stat().st_size if path.is_file() else None
        try:
            super().save()
        except (OSError, UserError) as error:
            if before is not None:
                with contextlib.suppress(OSError):
                    os.truncate(path, before)
            if not self._failed:
                reason = error.strerror if isinstance(error, OSError) else error
                warn(f"cannot write {path}: {reason}; the training goes on, rows wait for space")
            self._failed = True

    def _rewrite_with_new_header(self, fieldnames: list[str]) -> None:
        path = Path(self.metrics_file_path)
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        _write(path, fieldnames, rows)

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
        validates: The resumed run begins with the validation of the step before; its row is cut.
    """

    def __init__(
        self, run_dir: Path, *, resumed_at: int | None = None, validates: bool = False
    ) -> None:
        super().__init__(run_dir, name="", version="", flush_logs_every_n_steps=20)
        self._resumed_at = resumed_at
        self._validates = validates

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """The writer behind this logger."""
        if not isinstance(self._experiment, ExperimentWriter):
            if self._resumed_at is not None:
                path = Path(self.log_dir) / ExperimentWriter.NAME_METRICS_FILE
                _cut(path, self._resumed_at, validates=self._validates)
            self._experiment = _SafeWriter(log_dir=self.log_dir)
        return self._experiment


def _cut(path: Path, step: int, *, validates: bool) -> None:
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]  # a killed process leaves half a line
    reader = csv.DictReader(io.StringIO(whole, newline=""))
    _write(
        path,
        list(reader.fieldnames or []),
        [row for row in reader if _is_before(row, step, validates=validates)],
    )


def _is_before(row: dict[str, str], step: int, *, validates: bool) -> bool:
    text = row.get("step") or ""
    if not text.isdigit() or int(text) >= step:
        return False
    redone = validates and int(text) == step - 1
    return not (redone and any(value for key, value in row.items() if _is_validation(key)))


def _is_validation(key: str | None) -> bool:
    return key is not None and key.startswith("val/")


def _write(path: Path, keys: list[str], rows: list[dict[str, str]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, keys, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def build_loggers(
    name: LoggerName,
    run_dir: Path,
    *,
    wandb: WandbConfig,
    resumed_at: int | None = None,
    validates: bool = False,
) -> list[Logger]:
    """The loggers of a run.

    Args:
        name: `csv`, or `wandb` for both.
        run_dir: Where their files go.
        wandb: Settings of Weights & Biases.
        resumed_at: The step a resumed run begins at.
        validates: It begins with the validation of the step before.
    """
    loggers: list[Logger] = [MetricsFile(run_dir, resumed_at=resumed_at, validates=validates)]
    if name == "wandb":
        require("wandb")
        mode = wandb_mode()
        if mode == "disabled":
            rank_zero_only(remark)("WANDB_MODE is disabled: nothing goes to Weights & Biases")
        else:
            loggers.append(WandbLog(run_dir, wandb, mode=mode))
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
