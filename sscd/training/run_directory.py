"""Where a run keeps its files: `runs/NAME`, numbered rather than overwritten."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sscd.errors import UserError

# A launcher starts further processes with the same arguments; they join this run.
_INHERITED = "SSCD_RUN_DIRECTORY"


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """The directory of `best.ckpt` and `last.ckpt`."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The checkpoint of the highest validation micro-AP."""
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.checkpoints / "last.ckpt"

    @property
    def config(self) -> Path:
        """The resolved configuration, which replays the run."""
        return self.path / "config.yaml"

    def is_used(self) -> bool:
        """Whether a run has begun here."""
        return self.config.exists() or self.checkpoints.exists()


def new_run(wanted: Path) -> RunDirectory:
    """The directory of a new run: `wanted`, or the first free of `wanted-2`, `wanted-3` and so on.

    A directory counts as taken once a run has saved its configuration there, which is after all
    ranks of a launch have come to the same answer.

    Raises:
        UserError: The directory could not be created or written.
    """
    if "LOCAL_RANK" in os.environ and (inherited := os.environ.get(_INHERITED)):
        return RunDirectory(Path(inherited))
    run, number = RunDirectory(wanted), 1
    while run.is_used():
        number += 1
        run = RunDirectory(wanted.with_name(f"{wanted.name}-{number}"))
    _check_writable(run.path)
    os.environ[_INHERITED] = str(run.path)
    return run


def resumed_run(wanted: Path, checkpoint: str) -> tuple[RunDirectory, Path]:
    """The directory and checkpoint of a run that goes on.

    Args:
        wanted: The run directory asked for.
        checkpoint: `last` for the newest of `wanted`, `wanted-2`, … or a checkpoint's path.

    Raises:
        UserError: There is no such checkpoint.
    """
    if checkpoint != "last":
        path = Path(checkpoint)
        if not path.is_file():
            raise UserError(f"ckpt_path {path} does not exist; give a .ckpt file, or 'last'")
        beside = path.parent.name == "checkpoints"
        return RunDirectory(path.parent.parent if beside else wanted), path
    numbered = [wanted, *wanted.parent.glob(f"{wanted.name}-[0-9]*")]
    saved = [run for run in map(RunDirectory, numbered) if run.last.is_file()]
    if not saved:
        raise UserError(
            f"ckpt_path last: no run in {wanted} has a checkpoint yet; "
            "leave out --ckpt_path to start afresh, or name the run's --run_dir"
        )
    run = max(saved, key=lambda run: run.last.stat().st_mtime)
    return run, run.last


def _check_writable(path: Path) -> None:
    """Find out now, not after the first epoch. The directory may stay, empty: it is no run yet."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise UserError(
            f"run_dir {path} cannot be written: {error.strerror}; choose another with --run_dir DIR"
        ) from error
