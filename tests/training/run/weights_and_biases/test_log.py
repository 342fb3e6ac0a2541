"""The logger over the real client, offline; trainings that resume it; what it says at its end."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sscd.errors import Stopped
from sscd.evaluation.report import make_report
from sscd.report.weights_and_biases.panels import panels_of
from sscd.training.run.weights_and_biases.channel import Channel
from sscd.training.run.weights_and_biases.log import WandbLog
from sscd.training.run.weights_and_biases.settings import WandbConfig
from tests.offline_wandb import offline_runs
from tests.report.weights_and_biases.judged import small_judged, small_pictures
from tests.wandb_servers import KEY, recording_server


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment that the client does not set up, so that it is as before afterwards."""
    for name, value in (
        ("WANDB_DATA_DIR", str(tmp_path / "data")),
        ("WANDB_SILENT", "true"),
        ("WANDB_ERROR_REPORTING", "false"),
    ):
        monkeypatch.setenv(name, value)


def test_a_resumed_training_goes_on_in_the_same_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "some run"
    config = WandbConfig("project", name="a name", tags=("one", "two"))
    for steps, status in ((range(3), "failed"), (range(2, 5), "success")):
        log = WandbLog(run_dir, config, mode="offline")
        log.exit_code = 75
        log.log_hyperparams({"optimizer": {"lr": 0.5}})
        for step in steps:
            log.log_metrics({"train/loss": step / 2}, step=step)
            log.log_metrics({"val/micro_ap": 1 - step / 10}, step=step)
        log.finalize(status)
    first, second = offline_runs(run_dir)
    assert first.run_id == second.run_id == log.version
    assert (first.project, first.name) == ("project", "a name")
    # A row is a step of the training: what is done again falls on the same row.
    assert first.values("train/loss") == {0: 0.0, 1: 0.5, 2: 1.0}
    assert second.values("train/loss") == {2: 1.0, 3: 1.5, 4: 2.0}
    assert second.values("trainer/global_step") == {2: 2, 3: 3, 4: 4}
    assert (first.exit_code, first.preempting) == (75, True)
    assert (second.exit_code, second.preempting) == (0, False)
    assert second.config["optimizer"] == {"lr": 0.5}
    assert second.summary["val/micro_ap"] == {"max": 0.8, "last": 0.6}
    assert second.metrics["*"].step_metric == "trainer/global_step"
    said = capsys.readouterr()
    assert said.out.count("Weights & Biases: offline; `wandb sync") == 2
    assert said.err == "", "nothing of the client's own"


def test_waits_are_said_and_the_client_prints_nothing_where_it_can_keep_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "file" / "x"))
    monkeypatch.setattr("sscd.terminal.log_lines.EVERY_S", 0.0)
    log = WandbLog(tmp_path / "run", WandbConfig(), mode="offline")
    log.log_metrics({"train/loss": 0.5}, step=0)
    log.finalize("success")
    said = [line.rpartition(":")[0] for line in capfd.readouterr().err.splitlines()]
    assert [line.partition(":")[0] for line in said] == [
        "reaching Weights & Biases",
        "finishing Weights & Biases",
    ]


@pytest.mark.slow
def test_the_pieces_of_a_resumed_run_are_uploaded_as_one(tmp_path: Path) -> None:
    for steps in (range(4), range(3, 7)):
        log = WandbLog(tmp_path, WandbConfig(), mode="offline")
        for step in steps:
            log.log_metrics({"train/loss": step / 2}, step=step)
        log.finalize("success")
    pieces = sorted(str(path) for path in tmp_path.glob("wandb/offline-run-*"))
    with recording_server() as (address, history):
        done = subprocess.run(
            [sys.executable, "-m", "wandb", "sync", *pieces],
            env=os.environ | {"WANDB_BASE_URL": address, "WANDB_API_KEY": KEY},
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    lines = [pair for offset, steps in history for pair in enumerate(steps, start=offset)]
    assert lines == list(enumerate([0, 1, 2, 3, 3, 4, 5, 6])), "the second goes on after the first"


def test_what_interrupts_the_opening_finds_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Channel.wait

    def interrupted(self: Channel, seconds: float = 30.0) -> None:
        opened(self, seconds)
        raise Stopped("", status=130)

    monkeypatch.setattr(Channel, "wait", interrupted)
    log = WandbLog(tmp_path, WandbConfig(), mode="offline")
    with pytest.raises(Stopped):
        log.log_hyperparams({"optimizer": {"lr": 0.5}})
    log.exit_code = 130
    log.finalize("failed")
    (run,) = offline_runs(tmp_path)
    assert run.exit_code == 130, "it is ended, and not left to the end of the process"


def test_nothing_is_written_before_there_is_something(tmp_path: Path) -> None:
    log = WandbLog(tmp_path / "run", WandbConfig(), mode="offline")
    assert (log.name, log.version, log.save_dir) == ("sscd", None, str(tmp_path / "run"))
    log.finalize("success")
    assert not (tmp_path / "run").exists()


def test_a_directory_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").write_text("a file in its place")
    log = WandbLog(tmp_path / "run", WandbConfig(), mode="offline")
    log.log_metrics({"train/loss": 1.0}, step=0)
    log.finalize("success")
    assert "another run in Weights & Biases" in capsys.readouterr().err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("cannot mount a small disk; run as root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_warned_of_once(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_DATA_DIR", str(small_disk / "data"))
    log = WandbLog(small_disk / "run", WandbConfig(), mode="offline")
    log.log_metrics({"train/loss": 1.0}, step=0)
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    report = make_report(small_judged(), samples=5)
    (small_disk.parent / "pictures").mkdir()
    pictures = small_pictures(small_disk.parent / "pictures")
    for step in (1, 2):
        log.log_metrics(panels_of(report, pictures, rows=3), step=step)
    log.finalize("success")
    errors = capsys.readouterr().err
    assert errors.count("No space left on device") == 1, errors
    assert errors.count("warning:") == 2, errors
    assert "uploads what is kept" in errors


@pytest.mark.parametrize(
    ("values", "message"),
    [({"pictures": -1}, "pictures got -1"), ({"wait": 0}, "wait got 0"), ({"wait": 1e999}, "inf")],
)
def test_settings_that_cannot_be(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WandbConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["sscd_disc21", "sscd_advanced_mixup"])
def test_paper_rows_keep_the_best_alone(name: str) -> None:
    from sscd.configs import find_config

    content = yaml.safe_load(find_config(name).read_text())
    assert content["wandb"] == {"artifacts": "best"}
