"""Trains a row, or goes on with it, by `sscd train` in a process of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.recipes.cost import Cost, check_budget, cost_of, steps_of
from benchmarks.recipes.lab import Lab, read_json, write_json
from benchmarks.recipes.row import Row
from benchmarks.recipes.settings import (
    check_same,
    error_in,
    resolved_settings,
    write_settings,
)
from sscd.errors import UserError
from sscd.terminal import remark, working

LOG, SPENT = "train.log", "spent.json"


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        run: Its run directory.
        cost: What it cost the network.
        config: All its settings.
        cpu_seconds: Of the processor, over all calls; None where it was trained otherwise.
        wall_seconds: By the clock, likewise.
    """

    run: Path
    cost: Cost
    config: Mapping[str, Any] = field(repr=False)
    cpu_seconds: float | None
    wall_seconds: float | None

    @property
    def checkpoint(self) -> Path:
        """The last one: the best was chosen on the queries that are judged."""
        return last_checkpoint(self.run)


def last_checkpoint(run: Path) -> Path:
    """The newest checkpoint of a run directory."""
    return run / "checkpoints" / "last.ckpt"


def train_row(row: Row, *, seed: int, lab: Lab, threads: int, again: bool) -> Trained:
    """Train a row with a seed, unless that is done; rows of one training share it.

    Args:
        row: The row.
        seed: Of the training.
        lab: Where.
        threads: Of the process.
        again: Whether to begin anew where something is there.

    Raises:
        UserError: The settings are wrong or over the budget, what is there was trained otherwise,
            or the training failed.
    """
    budget = lab.read_budget()
    run = lab.run(row.training, seed)
    settings = run.with_name(f"{run.name}.yaml")
    command = [sys.executable, "-m", "sscd", "train", "--config", str(settings)]
    command += _places(lab, run, seed)
    write_settings(settings, row)
    with working(f"{row.name}, seed {seed}: reading the settings"):
        config = resolved_settings(command, row)
    pictures = int(budget["pictures"]["training"]["count"])
    cost = cost_of(config, pictures=pictures)
    check_budget(cost, budget=float(budget["views"]["units"]), row=row.name)
    whole = steps_of(config, pictures=pictures)
    if again:
        _remove(run)
    done = _steps_done(run)
    if done:
        check_same(run, config, row)
    else:
        _remove(run, keep=(LOG, SPENT))
    if done < whole:
        remark(f"{row.name}, seed {seed}: {'goes on' if done else 'begins'}; see {run / LOG}")
        with working(f"{row.name}, seed {seed}: training"):
            _train([*command, *(["--ckpt_path", "last"] if done else [])], run, threads=threads)
        if _steps_done(run) < whole:
            raise UserError(f"{run} ended before its last step; see {run / LOG}")
    spent = read_json(run / SPENT) if (run / SPENT).is_file() else {}
    return Trained(run, cost, config, spent.get("cpu_seconds"), spent.get("wall_seconds"))


def _remove(run: Path, *, keep: Sequence[str] = ()) -> None:
    """Remove what a training left: beside a run without a checkpoint `sscd train` begins another.

    Raises:
        UserError: Another process trains there.
    """
    from sscd.training.run.run_directory import RunDirectory

    if RunDirectory(run).is_claimed():
        raise UserError(f"another process trains in {run}; wait for it, or stop it")
    for path in run.iterdir() if run.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in keep:
            path.unlink()


def _places(lab: Lab, run: Path, seed: int) -> list[str]:
    values: dict[str, object] = {
        "data.root": lab.path / "development",
        "data.layout": "disc21",
        "data.shards": lab.shards,
        "data.cache": lab.cache,
        "run_dir": run,
        "seed_everything": seed,
        "compare": "false",
        "export": "false",
    }
    return [f"--{key}={value}" for key, value in values.items()]


def _steps_done(run: Path) -> int:
    from sscd.models.checkpoint import read_checkpoint

    path = last_checkpoint(run)
    return int(read_checkpoint(path)["global_step"]) if path.is_file() else 0


def _train(command: Sequence[str], run: Path, *, threads: int) -> None:
    """Run the command to its end, or pass on what stops it, and note what it took."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    run.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with (run / LOG).open("ab") as log:
        earlier = log.tell()
        child = subprocess.Popen(
            [*command, "--quiet"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # so that Ctrl-C reaches it once, from here
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.send_signal(signal.SIGTERM)
            _, status, usage = os.wait4(child.pid, 0)
            _note(run, usage.ru_utime + usage.ru_stime, time.monotonic() - begun)
            raise
    child.returncode = os.waitstatus_to_exitcode(status)
    _note(run, usage.ru_utime + usage.ru_stime, time.monotonic() - begun)
    if child.returncode:
        said = (run / LOG).read_bytes()[earlier:].decode("utf-8", errors="replace")
        raise UserError(
            f"the training ended with status {child.returncode}: {error_in(said)} ({run / LOG})"
        )


def _note(run: Path, cpu_seconds: float, wall_seconds: float) -> None:
    spent = read_json(run / SPENT) if (run / SPENT).is_file() else {}
    write_json(
        run / SPENT,
        {
            "cpu_seconds": spent.get("cpu_seconds", 0.0) + cpu_seconds,
            "wall_seconds": spent.get("wall_seconds", 0.0) + wall_seconds,
        },
    )
