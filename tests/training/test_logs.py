"""Loggers: the CSV file goes on after a resume, and W&B never asks."""

import csv
from pathlib import Path

import pytest

from sscd.training.logs import MetricsFile, build_loggers, has_wandb_key


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


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_key_is_looked_for_where_wandb_keeps_it(
    no_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not has_wandb_key()
    netrc = no_key / ".netrc"
    netrc.write_text("machine api.wandb.ai login user password " + "x" * 40 + "\n")
    netrc.chmod(0o600)
    assert has_wandb_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert not has_wandb_key()
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert has_wandb_key()
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert not has_wandb_key()


def test_a_broken_netrc_is_no_key(no_key: Path) -> None:
    (no_key / ".netrc").write_text("machine machine machine")
    assert not has_wandb_key()


def test_wandb_without_a_key_writes_an_offline_run(no_key: Path) -> None:
    loggers = build_loggers("wandb", no_key / "run", project="test")
    assert [type(logger).__name__ for logger in loggers] == ["MetricsFile", "WandbLogger"]
    loggers[1].log_metrics({"loss": 1.0}, step=0)
    loggers[1].finalize("success")
    import wandb

    wandb.finish()
    assert list((no_key / "run" / "wandb").glob("offline-run-*/run-*.wandb"))


def test_csv_alone_by_default(tmp_path: Path) -> None:
    assert [type(x).__name__ for x in build_loggers("csv", tmp_path, project="x")] == [
        "MetricsFile"
    ]
