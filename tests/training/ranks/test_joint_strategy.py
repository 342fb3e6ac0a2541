"""Real child processes of a training that fails."""

import os
import subprocess
import sys

import pytest
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.strategies.launchers.subprocess_script import _ChildProcessObserver
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from sscd.training.ranks import joint_strategy
from sscd.training.ranks.joint_strategy import JointStrategy

STUCK = "import time; time.sleep(600)"
REFUSES = "import sys; sys.exit(2)"


def children(*programs: str) -> list["subprocess.Popen[bytes]"]:
    return [subprocess.Popen([sys.executable, "-c", program]) for program in programs]


def failed_with(started: list["subprocess.Popen[bytes]"]) -> _ChildProcessObserver:
    """Let the process that started these fail; returns what watches them for Lightning."""
    launcher = _SubprocessScriptLauncher(
        LightningEnvironment(), num_processes=1 + len(started), num_nodes=1
    )
    launcher.procs = started
    observer = _ChildProcessObserver(main_pid=os.getpid(), child_processes=launcher.procs)
    strategy = JointStrategy()
    strategy._launcher = launcher
    strategy.on_exception(RuntimeError("the disk is full"))
    return observer


def test_no_child_outlives_the_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint_strategy, "PATIENCE", 0.5)
    stuck, refuses = children(STUCK, REFUSES)
    failed_with([stuck, refuses])
    assert stuck.wait(timeout=60) < 0
    assert refuses.wait(timeout=60) == 2 or refuses.returncode < 0


def test_children_that_fail_too_end_by_themselves() -> None:
    """And Lightning's observer does not kill the first process for it."""
    refuses = children(REFUSES)
    (child,) = refuses
    observer = failed_with(refuses)
    assert child.returncode == 2
    assert observer._run(), "it has nothing left to watch"


def test_a_process_that_started_none_has_none_to_end() -> None:
    alone = JointStrategy()
    alone.on_exception(RuntimeError("the disk is full"))
    assert alone.launcher is None
