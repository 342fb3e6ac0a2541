"""What a training leaves, for people and for programs: files, figures, and what to do next."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from sscd.commands.choose_threshold import CALIBRATION_FILE
from sscd.errors import Stopped
from sscd.evaluation.report import Report
from sscd.models.checkpoint import figures_of, read_checkpoint
from sscd.report.contents import Contents
from sscd.terminal import Result
from sscd.training.run.run_directory import RunDirectory

_FILES = {
    "best_checkpoint": ("best checkpoint", "checkpoints/best.ckpt"),
    "last_checkpoint": ("last checkpoint", "checkpoints/last.ckpt"),
    "metrics": ("metrics", "metrics.csv"),
    "configuration": ("configuration", "config.yaml"),
    "evaluation": ("evaluation", "evaluation.h5"),
    "report": ("report, to look at", "report.html"),
    "matches": ("matches, to look at", "matches.jpg"),
    "unreadable": ("unreadable pictures", "skipped.txt"),
    "descriptors": ("track-2 descriptors", "track2.h5"),
    "thresholds": ("thresholds", CALIBRATION_FILE),
}
"""Key of the JSON → what people call it, and where it lies in the run."""


def finished(
    run: RunDirectory,
    *,
    contents: Contents | None,
    shown: Sequence[RenderableType],
    own_pictures: bool,
) -> Result:
    """The result of a training that has come to its end.

    Args:
        run: Where its files are.
        contents: What was compared; None where nothing was.
        shown: Tables and lines for people, before the files.
        own_pictures: Whether it was trained on the person's pictures, not on drawn ones.
    """
    ended = {"ended": "finished", "reason": None}
    values = _values(run) | _compared(contents) | ended
    listed = [f"  {_FILES[key][0]:<20} {path}" for key, path in values["files"].items()]
    steps = _next_steps(run, own_pictures=own_pictures)
    return Result(
        values,
        [*shown, "\nfiles:", *listed],
        remarks=["\nnext:", *(f"  {what:<26} {command}" for what, command in steps.items())],
    )


def interrupted(run: RunDirectory | None, stopped: Stopped) -> Result:
    """The result of a training that was asked to stop, and can go on.

    Args:
        run: Where its files are; None where it stopped before it had any.
        stopped: What ended it.
    """
    ended = {"ended": "interrupted", "reason": str(stopped)}
    return Result(_values(run) | _compared(None) | ended, [])


def _compared(contents: Contents | None) -> dict[str, Any]:
    if contents is None:
        return {"compared": None, "differences": None}
    return {
        "compared": [_figures(shown.report) for shown in contents.systems],
        "differences": [one.as_json() for one in contents.differences],
    }


def best_checkpoint(run: RunDirectory) -> Path | None:
    """The best checkpoint, or the last where no validation has chosen one; None for none."""
    return next((path for path in (run.best, run.last) if path.exists()), None)


def _values(run: RunDirectory | None) -> dict[str, Any]:
    if run is None or not run.path.is_dir():
        return {"run": None, "files": {}, "best": None}
    places = {key: run.path / place for key, (_, place) in _FILES.items()}
    best = figures_of(read_checkpoint(run.best)) if run.best.exists() else {}
    return {
        "run": str(run.path),
        "files": {key: str(path) for key, path in places.items() if path.exists()},
        "best": best or None,
    }


def _figures(report: Report) -> dict[str, Any]:
    whole = report.as_json()
    return {key: whole[key] for key in ("system", "figures", "micro_ap_interval")}


def _next_steps(run: RunDirectory, *, own_pictures: bool) -> dict[str, str]:
    steps = {}
    if not own_pictures:
        steps["train on your photographs"] = f"{_command('train')} --config photos --data.root DIR"
    if run.evaluation.exists():
        shown = shlex.quote(str(run.path))
        steps["look at it"] = f"{_command('report')} {shown}"
        steps["compare runs"] = f"{_command('report')} {shown} OTHER_RUN"
    if chosen := best_checkpoint(run):
        steps["find copies in a folder"] = (
            f"{_command('dedup')} DIR --checkpoint {shlex.quote(str(chosen))}"
        )
        steps["describe other folders"] = (
            f"{_command('export')} --checkpoint {shlex.quote(str(chosen))} "
            "--queries QUERIES --references REFERENCES --output track2.h5"
        )
    steps["the same run again"] = f"{_command('train')} --config {shlex.quote(str(run.config))}"
    return steps


def _command(name: str) -> str:
    """A command as one would type it here: by its script, if this run was started by one."""
    if Path(sys.argv[0]).name not in ("train.py", "export.py"):
        return f"sscd {name}"
    if name in ("train", "export"):
        return f"{_here(Path(sys.executable), 'python')} {name}.py"
    return f"{_here(Path(sys.executable).with_name('sscd'), 'sscd')} {name}"


def _here(program: Path, otherwise: str) -> str:
    """A program of this directory by its path; others by their name."""
    near = program.is_file() and program.is_relative_to(Path.cwd())
    return shlex.quote(str(program.relative_to(Path.cwd())) if near else otherwise)
