"""A training on views of all kinds, whose sizes change: what its network sees, and its record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.models.checkpoint import read_checkpoint
from sscd.training.cli import TrainCLI
from sscd.training.steps import describe_batch
from sscd.training.steps.micro_batches import describe_in_micro_batches
from tests.training.test_start import TINY

KINDS = (
    *("--data.gentle.views", "1", "--data.unedited", "negatives", "--data.local.views", "2"),
    *("--data.local.size", "12", "--data.progression", "[[0, 16], [0.5, 32]]"),
    *("--data.curriculum.until", "0.5", "--trainer.limit_val_batches", "0"),
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_network_sees_them_and_the_record_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []

    def spy(network: Any, views: torch.Tensor, **settings: Any) -> torch.Tensor:
        seen.append(tuple(views.shape))
        return describe_in_micro_batches(network, views, **settings)

    monkeypatch.setattr(describe_batch, "describe_in_micro_batches", spy)
    # Four steps, two an epoch.
    limits = ("--trainer.max_epochs", "-1", "--trainer.max_steps", "4")
    cli = TrainCLI([*TINY, *KINDS, *limits], default_run=Path("run"))
    local = (4, 2, 3, 12, 12)
    small, large = (4, 3, 3, 16, 16), (4, 3, 3, 32, 32)
    assert seen == [small, local] * 2 + [large, local] * 2
    figures = cli.model.last_statistics
    assert all(value.isfinite() for value in figures.values())
    record = read_checkpoint(cli.run.last)["sscd"]["recipe"]
    assert record["image_size"] == 32
    views = record["views"]
    assert views["a_picture"] == 2
    assert views["gentle"]["recipe"]["name"] == "whole"
    assert views["progression"] == [[0.0, 16], [0.5, 32]]
    assert (views["local"]["size"], views["curriculum"]["until"]) == (12, 0.5)
    assert views["unedited"] == "negatives"
