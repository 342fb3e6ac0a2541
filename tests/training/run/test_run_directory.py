"""Run directories: numbered, resumed, never overwritten."""

import os
from pathlib import Path

import pytest

from sscd.commands.choose_threshold import CALIBRATION_FILE
from sscd.errors import UserError
from sscd.training.run.run_directory import (
    NAMES,
    RunDirectory,
    has_checkpoint,
    new_run,
    resumed_run,
)


@pytest.fixture(autouse=True)
def _restore_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCD_RUN_DIRECTORY", "")
    monkeypatch.delenv("LOCAL_RANK", raising=False)


def finish(run: RunDirectory, *, age: int = 0) -> None:
    run.checkpoints.mkdir(parents=True)
    run.config.touch()
    run.last.touch()
    os.utime(run.last, (1_000_000 - age, 1_000_000 - age))


def test_runs_are_numbered(tmp_path: Path) -> None:
    wanted = tmp_path / "runs" / "photos"
    names = []
    for _ in range(3):
        run = new_run(wanted)
        names.append(run.path.name)
        finish(run)
    assert names == ["photos", "photos-2", "photos-3"]


def test_other_processes_of_a_launch_join_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = new_run(tmp_path / "photos")
    finish(first)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert new_run(tmp_path / "photos") == first


def test_last_is_the_newest(tmp_path: Path) -> None:
    ages = {"photos": 50, "photos-2": 10, "photos-3": 30, "photos-224": 0, "photosynthesis-2": 0}
    for name, age in ages.items():
        finish(RunDirectory(tmp_path / name), age=age)
    run, checkpoint = resumed_run("last", run_dir=None, default=tmp_path / "photos")
    assert run.path.name == "photos-2", "photos-224 is somebody's name, not a number of this run"
    assert checkpoint == run.last


def test_last_without_a_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ckpt_path last: no run"):
        resumed_run("last", run_dir=tmp_path / "photos", default=tmp_path)


def test_a_run_that_was_killed_before_its_first_checkpoint(tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path / "photos")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "config.yaml").touch()
    assert not has_checkpoint(tmp_path / "photos")
    assert new_run(tmp_path / "photos").path.name == "photos-2"
    finish(RunDirectory(tmp_path / "photos-2"))
    assert has_checkpoint(tmp_path / "photos")


@pytest.mark.parametrize("name", ["metrics.csv", "track2.h5", "matches.jpg", "wandb"])
def test_nothing_a_run_wrote_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / name).touch()
    assert new_run(tmp_path / "photos").path.name == "photos-2"


def test_what_is_not_of_a_run_may_lie_there(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "slurm-17.out").write_text("log")
    assert new_run(tmp_path / "photos").path.name == "photos"
    assert (tmp_path / "photos" / "slurm-17.out").read_text() == "log"


def test_what_the_conclusion_writes_is_known_as_a_run_s() -> None:
    assert CALIBRATION_FILE in NAMES


def test_a_checkpoint_by_its_path_resumes_its_run(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "photos-4")
    finish(run)
    assert resumed_run(str(run.last), run_dir=None, default=tmp_path / "x") == (run, run.last)
    assert resumed_run(str(run.last), run_dir=run.path, default=tmp_path / "x") == (run, run.last)
    with pytest.raises(UserError, match=r"none\.ckpt does not exist"):
        resumed_run(str(tmp_path / "none.ckpt"), run_dir=None, default=tmp_path)


def test_a_checkpoint_from_elsewhere_begins_a_new_run(tmp_path: Path) -> None:
    for name in ("photos", "other"):
        finish(RunDirectory(tmp_path / name))
    foreign = tmp_path / "downloaded.ckpt"
    foreign.touch()
    run, checkpoint = resumed_run(str(foreign), run_dir=None, default=tmp_path / "photos")
    assert (run.path.name, checkpoint) == ("photos-2", foreign)
    elsewhere = RunDirectory(tmp_path / "other").last
    run, _ = resumed_run(str(elsewhere), run_dir=tmp_path / "photos", default=tmp_path)
    assert run.path.name == "photos-2", "never into a directory that holds another run"


def test_the_current_directory_can_be_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    finish(RunDirectory(tmp_path / "here"))
    assert new_run(Path()).path == tmp_path / "here-2"


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        new_run(tmp_path / "file" / "run")
