"""Trainings that learn the exponent of the pooling, and validate at several scales."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.errors import UserError
from sscd.models.loading import load_network
from sscd.training.module import CopyDetector
from tests.training.test_averaging import CutShort, assert_equal, state_in, train

LEARNT = (
    *("--data.image_size", "64"),  # at 32 pixels a map is one cell, whose mean is itself
    *("--model.network.gem_p_learnt", "true", "--model.optimizer.name", "lars"),
    *("--model.optimizer.weight_decay", "0.1", "--model.optimizer.lr", "0.05"),
    *("--model.network.scales", "[1, 1.5]", "--model.network.mirror", "true"),
)
TWO = ("--trainer.max_epochs", "2")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_exponent_moves_and_the_file_describes_so() -> None:
    cli = train(*LEARNT, "--trainer.max_epochs", "1")
    reached = float(state_in(cli.run.last)["network.pool.p"])
    assert reached != 3.0
    trained = load_network(cli.run.last).network
    assert trained.config.gem_p == reached
    assert (trained.config.scales, trained.config.mirror) == ((1.0, 1.5), True)
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        torch.testing.assert_close(trained(pictures), cli.model.network.eval()(pictures))
    with pytest.raises(UserError, match=r"has gem_p_learnt True, and model\.network\.gem_p_learnt"):
        train("--ckpt_path", "last", *TWO)


@pytest.mark.slow
def test_it_is_resumed_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: CopyDetector, batch: Any, batch_idx: int) -> None:
        if self.trainer.global_step == 3:
            raise CutShort

    line = (*LEARNT, *TWO, "--model.average.decay", "0.5", "--save_every", "1")
    whole = train(*line, run="whole")
    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "on_train_batch_start", fail)
        with pytest.raises(CutShort):
            train(*line)
    parts = train(*line, "--ckpt_path", "last")
    assert_equal(state_in(whole.run.last), state_in(parts.run.last))
