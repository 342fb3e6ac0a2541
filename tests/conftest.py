"""What several test files need."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# As `sscd` does: before torch is imported, for threads that spin slow the workers down.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if "PYTEST_XDIST_WORKER" in os.environ:  # there is a process for each core already
    os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).parents[1]

Runner = Callable[..., subprocess.CompletedProcess[str]]


Starter = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _no_run_of_before() -> None:
    """A training in this process tells those that it starts of its run; no other test is one."""
    for name in ("SSCD_RUN_DIRECTORY", "SSCD_DECIDED"):
        os.environ.pop(name, None)


@pytest.fixture
def start_script(tmp_path: Path) -> Starter:
    """Start `train.py` or `export.py` as a user does, in a directory with a cache of its own."""

    def start(script: str, *arguments: str) -> "subprocess.Popen[str]":
        settings = {
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "OMP_NUM_THREADS": "1",
            "WANDB_MODE": "offline",
            "COLUMNS": "200",
        }
        return subprocess.Popen(
            [sys.executable, str(REPOSITORY / script), *arguments],
            cwd=tmp_path,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run_script(start_script: Starter) -> Runner:
    """Run a script to its end, in five minutes at most."""

    def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        with start_script(script, *arguments) as process:
            try:
                out, err = process.communicate(timeout=300)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs that lies beside the repository on some machines."""
    folder = REPOSITORY.parent / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip(f"no photographs at {folder}")
    return folder
