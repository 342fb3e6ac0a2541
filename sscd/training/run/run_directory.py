"""Where a run keeps its files: `runs/NAME`, numbered rather than overwritten."""

import errno
import fcntl
import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sscd.errors import UserError
from sscd.files import check_writable_directory

# A launcher starts further processes with the same arguments; they join this run.
_INHERITED = "SSCD_RUN_DIRECTORY"
DECIDED = "SSCD_DECIDED"
"""What the first process of a node has decided for those that it starts, in their environment."""


LOCK = ".lock"
_GAP = 3  # numbers in a row that launches which failed may have left free
# What a training and its conclusion write; a directory that holds any of it is a run's.
NAMES = (
    *("config.yaml", "checkpoints", "metrics.csv", "skipped.txt", "wandb", "matches.jpg"),
    *("track2.h5", "track2.h5.skipped.txt", "calibration.json", "evaluation.h5", "report.html"),
)


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run.

    Attributes:
        path: The directory.
        made: Directories that this launch made for it, innermost first.
    """

    path: Path
    made: tuple[Path, ...] = field(default=(), compare=False)

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
    def evaluation(self) -> Path:
        """The evaluation of `best`, from which reports are made."""
        return self.path / "evaluation.h5"

    @property
    def config(self) -> Path:
        """The resolved configuration, which replays the run."""
        return self.path / "config.yaml"

    @property
    def lock(self) -> Path:
        """The file that a training holds while it writes here."""
        return self.path / LOCK

    @property
    def written(self) -> tuple[Path, ...]:
        """The files that a training rewrites as it goes on."""
        return (
            *(self.best, self.last, self.config),
            *(self.path / "metrics.csv", self.path / "skipped.txt", self.evaluation),
        )

    def is_used(self) -> bool:
        """Whether a run has begun here, or left files that another would overwrite."""
        return any((self.path / name).exists() for name in NAMES)

    def is_claimed(self) -> bool:
        """Whether another process that is alive is about to train here."""
        try:
            with self.lock.open("r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError as error:
            return error.errno in (errno.EACCES, errno.EAGAIN)
        return False


def new_run(wanted: Path) -> RunDirectory:
    """The directory of a new run: `wanted`, or the first free of `wanted-2`, `wanted-3` and so on.

    What is not of a run, such as the log of a batch system, may lie there already.

    A directory counts as taken once a run has saved its configuration there, which is after all
    ranks of a launch have come to the same answer.

    Raises:
        UserError: The directory cannot be created or written.
    """
    if "LOCAL_RANK" in os.environ and (inherited := os.environ.get(_INHERITED)):
        return RunDirectory(Path(inherited))
    run = next(run for run in _numbered(wanted) if not run.is_used() and not run.is_claimed())
    missing = [path for path in (run.path, *run.path.parents) if not path.exists()]
    check_writable_directory(run.path)
    os.environ[_INHERITED] = str(run.path)
    return RunDirectory(run.path, made=tuple(missing))


def is_launched_child(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the first process of its node started this one, with the same arguments."""
    inherited = DECIDED in environ or bool(environ.get(_INHERITED))
    return environ.get("LOCAL_RANK", "0") != "0" and inherited


def has_checkpoint(wanted: Path) -> bool:
    """Whether a run in `wanted`, `wanted-2` and so on can go on."""
    return any(run.last.is_file() for run in _used(wanted))


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
            return _go_on(own), path
        return new_run(wanted), path
    if is_launched_child() and (inherited := os.environ.get(_INHERITED)):
        run = RunDirectory(Path(inherited))
        return run, run.last
    saved = [run for run in _used(wanted) if run.last.is_file()]
    if not saved:
        raise UserError(
            f"ckpt_path last: no run in {wanted} has a checkpoint yet; "
            "leave out --ckpt_path to start afresh, or name the run's --run_dir"
        )
    run = max(saved, key=lambda run: run.last.stat().st_mtime)
    return _go_on(run), run.last


def _go_on(run: RunDirectory) -> RunDirectory:
    check_writable_directory(run.path)
    os.environ[_INHERITED] = str(run.path)
    return run


def _used(wanted: Path) -> Iterator[RunDirectory]:
    missing = 0
    for run in _numbered(wanted):
        if run.is_used():
            yield run
        missing = 0 if run.is_used() else missing + 1
        if missing > _GAP:
            return


def _numbered(wanted: Path) -> Iterator[RunDirectory]:
    named = wanted if wanted.name else wanted.absolute()
    yield RunDirectory(named)
    for number in itertools.count(2):
        yield RunDirectory(named.with_name(f"{named.name}-{number}"))
