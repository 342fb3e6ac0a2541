"""Where a run keeps its files: `runs/NAME`, numbered rather than overwritten."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.errors import UserError
from sscd.files import check_writable_directory

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
        UserError: The directory cannot be created or written.
    """
    if "LOCAL_RANK" in os.environ and (inherited := os.environ.get(_INHERITED)):
        return RunDirectory(Path(inherited))
    run = next(run for run in _numbered(wanted) if not run.is_used())
    check_writable_directory(run.path)
    os.environ[_INHERITED] = str(run.path)
    return run


def resumed_run(
    checkpoint: str, *, run_dir: Path | None, default: Path
) -> tuple[RunDirectory, Path]:
    """The directory and checkpoint of a run that goes on.

    A checkpoint in a run's own directory goes on there, unless another `run_dir` is asked for; any
    other checkpoint begins a new run.

    Args:
        checkpoint: `last` for the newest of `run_dir`, `run_dir-2`, … or a checkpoint's path.
        run_dir: The run directory asked for, if any.
        default: The run directory where none is asked for.

    Raises:
        UserError: There is no such checkpoint, or the directory cannot be written.
    """
    wanted = run_dir or default
    if checkpoint != "last":
        path = Path(checkpoint)
        if not path.is_file():
            raise UserError(f"ckpt_path {path} does not exist; give a .ckpt file, or 'last'")
        own = RunDirectory(path.parent.parent)
        goes_on = path.parent == own.checkpoints and own.config.exists()
        if goes_on and (run_dir is None or run_dir.absolute() == own.path.absolute()):
            check_writable_directory(own.path)
            return own, path
        return new_run(wanted), path
    used = itertools.takewhile(RunDirectory.is_used, _numbered(wanted))
    saved = [run for run in used if run.last.is_file()]
    if not saved:
        raise UserError(
            f"ckpt_path last: no run in {wanted} has a checkpoint yet; "
            "leave out --ckpt_path to start afresh, or name the run's --run_dir"
        )
    run = max(saved, key=lambda run: run.last.stat().st_mtime)
    check_writable_directory(run.path)
    return run, run.last


def _numbered(wanted: Path) -> Iterator[RunDirectory]:
    named = wanted if wanted.name else wanted.absolute()
    yield RunDirectory(named)
    for number in itertools.count(2):
        yield RunDirectory(named.with_name(f"{named.name}-{number}"))
