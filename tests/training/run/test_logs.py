"""Loggers: the CSV file goes on after a resume, and W&B never asks."""

import csv
import resource
from pathlib import Path

import pytest
from lightning.pytorch.utilities import rank_zero_only

from sscd.training.run.logs import MetricsFile, build_loggers, wandb_mode
from sscd.training.run.weights_and_biases.settings import WandbConfig
from tests.offline_wandb import offline_runs


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_resumed_run_appends(tmp_path: Path) -> None:
    for step, metrics in ((0, {"loss": 3.0}), (1, {"loss": 2.0, "val/micro_ap": 0.5})):
        logger = MetricsFile(tmp_path)
        logger.log_metrics(dict(metrics), step=step)
        logger.save()
    rows = rows_of(tmp_path / "metrics.csv")
    assert [(row["step"], row["loss"], row["val/micro_ap"]) for row in rows] == [
        ("0", "3.0", ""),
        ("1", "2.0", "0.5"),
    ]


def test_what_is_done_again_is_cut(tmp_path: Path) -> None:
    logger = MetricsFile(tmp_path)
    for step in range(4):
        logger.log_metrics({"loss": float(step)}, step=step)
    logger.save()
    resumed = MetricsFile(tmp_path, resumed_at=2)
    resumed.log_metrics({"loss": 20.0, "other": 1.0}, step=2)
    resumed.save()
    rows = rows_of(tmp_path / "metrics.csv")
    assert [row["loss"] for row in rows] == ["0.0", "1.0", "20.0"]
    assert [row["other"] for row in rows] == ["", "", "1.0"]


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_key_is_looked_for_where_wandb_keeps_it(
    no_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wandb_mode() == "offline"
    netrc = no_key / ".netrc"
    netrc.write_text("machine api.wandb.ai login user password " + "x" * 40 + "\n")
    netrc.chmod(0o600)
    assert wandb_mode() == "online"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert wandb_mode() == "offline"
    monkeypatch.setenv("NETRC", str(no_key / "other"))
    monkeypatch.delenv("WANDB_BASE_URL")
    assert wandb_mode() == "offline"
    monkeypatch.setenv("WANDB_MODE", "online")
    assert wandb_mode() == "offline", "asked for, but without a key it would ask"
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert wandb_mode() == "online"
    for mode in ("offline", "disabled"):
        monkeypatch.setenv("WANDB_MODE", mode)
        assert wandb_mode() == mode


def test_a_broken_netrc_is_no_key(no_key: Path) -> None:
    (no_key / ".netrc").write_text("machine machine machine")
    assert wandb_mode() == "offline"


def test_wandb_without_a_key_writes_an_offline_run(no_key: Path) -> None:
    loggers = build_loggers("wandb", no_key / "run", wandb=WandbConfig("test"))
    assert [type(logger).__name__ for logger in loggers] == ["MetricsFile", "WandbLog"]
    loggers[1].log_metrics({"loss": 1.0}, step=0)
    loggers[1].finalize("success")
    (run,) = offline_runs(no_key / "run")
    assert run.values("loss") == {0: 1.0}


def test_wandb_that_is_disabled_is_said(
    no_key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    loggers = build_loggers("wandb", no_key / "run", wandb=WandbConfig())
    assert [type(logger).__name__ for logger in loggers] == ["MetricsFile"]
    assert "WANDB_MODE is disabled" in capsys.readouterr().out
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    build_loggers("wandb", no_key / "run", wandb=WandbConfig())
    assert capsys.readouterr().out == "", "one rank says it for all"


def test_csv_alone_by_default(tmp_path: Path) -> None:
    loggers = build_loggers("csv", tmp_path, wandb=WandbConfig())
    assert [type(logger).__name__ for logger in loggers] == ["MetricsFile"]


def test_half_a_line_of_a_killed_run_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,step,train/loss\n0,0,3.5\n0,1,2.25\n0,1")
    resumed = MetricsFile(tmp_path, resumed_at=5)
    resumed.log_metrics({"train/loss": 1.0, "epoch": 0}, step=2)
    resumed.save()
    assert [(row["step"], row["train/loss"]) for row in rows_of(path)] == [
        ("0", "3.5"),
        ("1", "2.25"),
        ("2", "1.0"),
    ]


def test_the_row_of_a_validation_that_is_done_again_is_cut(tmp_path: Path) -> None:
    text = "epoch,step,train/loss,val/micro_ap\n0,1,2.5,\n0,1,,0.25\n0,2,2.0,\n0,2,,0.5\n"
    for validates, left in ((True, ["2.5", "", "2.0"]), (False, ["2.5", "", "2.0", ""])):
        (tmp_path / "metrics.csv").write_text(text)
        resumed = MetricsFile(tmp_path, resumed_at=3, validates=validates)
        resumed.log_metrics({"val/micro_ap": 0.75}, step=2)
        resumed.save()
        rows = rows_of(tmp_path / "metrics.csv")
        assert [row["train/loss"] for row in rows] == [*left, ""]
        assert rows[-1]["val/micro_ap"] == "0.75"


def test_a_full_disk_costs_no_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logger = MetricsFile(tmp_path)
    path = tmp_path / "metrics.csv"

    def log(step: int) -> None:
        logger.log_metrics({"loss": step + 0.5, "other": 0.123456789}, step=step)
        logger.save()

    log(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 8, hard))
    try:
        log(1)
        log(2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [row["step"] for row in rows_of(path)] == ["0"], "nor half a row"
    log(3)
    assert [row["step"] for row in rows_of(path)] == ["0", "1", "2", "3"]
    assert capsys.readouterr().err.count("the training goes on") == 1


def test_a_new_column_is_added_in_one_go(tmp_path: Path) -> None:
    logger = MetricsFile(tmp_path)
    logger.log_metrics({"loss": 1.0}, step=0)
    logger.save()
    before = (tmp_path / "metrics.csv").stat().st_ino
    logger.log_metrics({"loss": 2.0, "val/micro_ap": 0.5}, step=1)
    logger.save()
    assert (tmp_path / "metrics.csv").stat().st_ino != before, "a whole file in place of the old"
    assert [row["loss"] for row in rows_of(tmp_path / "metrics.csv")] == ["1.0", "2.0"]
