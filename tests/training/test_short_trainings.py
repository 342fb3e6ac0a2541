"""Trainings shorter than an epoch or than the interval of the log are logged and validated."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.models.checkpoint import figures_of, read_checkpoint
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from tests.training.test_start import TINY

TWO_STEPS = ("--trainer.max_epochs", "-1", "--trainer.max_steps", "2")
MORE = ("--data.procedural.training", "16")  # four steps an epoch


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def train(*arguments: str) -> TrainCLI:
    return TrainCLI([*TINY, *MORE, *arguments], default_run=Path("run"))


def steps_of(key: str) -> list[int]:
    with Path("run/metrics.csv").open(newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file) if row.get(key)]


def test_the_last_step_of_each_epoch_is_logged() -> None:
    train("--trainer.max_epochs", "2")
    for key in ("loss", "grad_norm", "views_per_s"):
        assert steps_of(f"train/{key}") == [3, 7]
    assert steps_of("lr-SGD") == [3, 7]
    assert steps_of("val/micro_ap") == [3, 7]


def test_steps_that_end_amid_an_epoch_are_validated() -> None:
    cli = train(*TWO_STEPS)
    assert steps_of("train/loss") == steps_of("val/micro_ap") == [1]
    assert figures_of(read_checkpoint(cli.run.best))["step"] == 2
    assert cli.run.evaluation.exists()


def test_that_validation_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class CutShort(Exception):  # noqa: N818
        pass

    def fail(self: Any) -> None:
        raise CutShort

    line = (*TWO_STEPS, "--trainer.max_epochs", "9")
    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "on_validation_epoch_start", fail)
        with pytest.raises(CutShort):
            train(*line)
    assert not Path("run/checkpoints/best.ckpt").exists()
    cli = train(*line, "--ckpt_path", "last")
    assert steps_of("train/loss") == steps_of("val/micro_ap") == [1]
    assert read_checkpoint(cli.run.last)["global_step"] == 2


def test_no_validation_where_none_is_wanted() -> None:
    train(*TWO_STEPS, "--trainer.limit_val_batches", "0")
    assert steps_of("val/micro_ap") == []
    assert steps_of("train/loss") == [1]
