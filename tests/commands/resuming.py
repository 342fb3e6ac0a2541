"""Runs that are killed and go on, beside one that was never interrupted."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

SPEEDS = ("train/views_per_s", "train/data_wait")
SMALL = (
    *("--data.procedural.size", "32", "--data.procedural.training", "50"),
    *("--data.procedural.references", "12", "--data.procedural.copies", "6"),
    *("--data.procedural.distractors", "4", "--data.image_size", "32"),
    *("--data.inference.size", "32", "--data.batch_size", "8", "--data.workers", "1"),
    *("--data.mixup.probability", "0.5", "--trainer.log_every_n_steps", "1"),
    *("--trainer.max_epochs", "3", "--compare", "false", "--export", "false"),
)

Condition = Callable[[], bool]


def start_program(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start Python in a directory with a cache of its own, as `start_script` does."""
    settings = {"XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows_of(run: Path) -> list[dict[str, str]]:
    """What a run has logged, but for speeds and for a line that is being written."""
    try:
        text = (run / "metrics.csv").read_text()
    except FileNotFoundError:
        return []
    whole = text[: text.rfind("\n") + 1]
    return [
        {key: value for key, value in row.items() if key not in SPEEDS}
        for row in csv.DictReader(whole.splitlines())
    ]


def logged_step(run: Path, step: int) -> Condition:
    """A step's loss is in the run's metrics."""

    def holds() -> bool:
        return any(row["step"] == str(step) and row.get("train/loss") for row in rows_of(run))

    return holds


def validated(run: Path, times: int) -> Condition:
    """So many validations are in the run's metrics."""

    def holds() -> bool:
        return sum(bool(row.get("val/micro_ap")) for row in rows_of(run)) >= times

    return holds


def wait_until(process: "subprocess.Popen[str]", condition: Condition) -> None:
    """Wait until something holds, while a process works towards it."""
    deadline = time.monotonic() + 120
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()}")
        time.sleep(0.001)


def kill_when(process: "subprocess.Popen[str]", condition: Condition) -> None:
    """Kill a process, which cannot defend itself, as soon as something holds."""
    wait_until(process, condition)
    process.kill()
    process.communicate()


def checkpoint_of(run: Path, name: str = "last") -> dict[str, Any]:
    """A checkpoint without what is of its directory."""
    loaded: dict[str, Any] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return loaded


def assert_same(found: Any, expected: Any, place: str = "") -> None:
    """Two nested structures are equal, bit for bit."""
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), place
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for key in expected:
            assert_same(found[key], expected[key], f"{place}.{key}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), place
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{place}[{index}]")
    else:
        assert found == expected, f"{place}: {found} != {expected}"


def assert_same_runs(found: Path, expected: Path) -> None:
    """Two runs logged the same and ended with the same network, optimiser and counters."""
    assert rows_of(found) == rows_of(expected)
    for name in ("last", "best"):
        one, other = checkpoint_of(found, name), checkpoint_of(expected, name)
        for checkpoint in (one, other):  # it counts a validation that was begun twice, twice
            del checkpoint["loops"]["fit_loop"]["epoch_loop.val_loop.batch_progress"]["total"]
        for key in ("state_dict", "optimizer_states", "lr_schedulers", "loops", "global_step"):
            assert_same(one[key], other[key], f"{name}.{key}")
