"""One training in a run directory; the dead do not hold it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.training.run.run_claim import RunClaim
from sscd.training.run.run_directory import RunDirectory, new_run

HOLD = """
import sys, time
from pathlib import Path
from sscd.training.run.run_claim import RunClaim
from sscd.training.run.run_directory import RunDirectory
RunClaim().take(RunDirectory(Path(sys.argv[1])))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCD_RUN_DIRECTORY", "")
    monkeypatch.delenv("LOCAL_RANK", raising=False)


def test_another_process_is_refused_until_it_dies(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert run.is_claimed()
        assert new_run(run.path).path == tmp_path / "run-2"
        with pytest.raises(UserError, match=rf"writes .*run \(process {other.pid} on "):
            RunClaim().take(run)
        other.send_signal(signal.SIGKILL)
    assert run.lock.exists()
    assert not run.is_claimed()
    with RunClaim() as claim:
        claim.take(run)
    assert not run.lock.exists()


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.checkpoints.mkdir()
    left = [run.checkpoints / ".last.ckpt.abc.part", tmp_path / ".metrics.csv.x1.part"]
    others = [tmp_path / ".track2.h5.abc.part", run.last, run.checkpoints / "last.ckpt.part"]
    for path in (*left, *others):
        path.touch()
    with RunClaim() as claim:
        claim.take(run)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others), "another command may be writing there"


def test_a_launch_that_trained_nothing_leaves_nothing(tmp_path: Path) -> None:
    with RunClaim() as claim:
        run = new_run(tmp_path / "runs" / "photos")
        claim.take(run)
        run.checkpoints.mkdir()
        run.config.touch()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", ["metrics.csv", "checkpoints/last.ckpt", "wandb"])
def test_what_was_trained_stays(tmp_path: Path, kept: str) -> None:
    with RunClaim() as claim:
        run = new_run(tmp_path / "runs" / "photos")
        claim.take(run)
        run.config.touch()
        (run.path / kept).parent.mkdir(exist_ok=True)
        (run.path / kept).touch()
    assert (run.path / kept).exists()
    assert run.config.exists()


def test_a_directory_that_was_there_stays(tmp_path: Path) -> None:
    wanted = tmp_path / "mine"
    wanted.mkdir()
    with RunClaim() as claim:
        run = new_run(wanted)
        claim.take(run)
        run.config.touch()
    assert wanted.is_dir()
