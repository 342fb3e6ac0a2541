"""Trainings with overlays, collages, hard negatives, other entropies and a falling temperature."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.models.checkpoint import read_checkpoint, recipe_in
from sscd.training.cli import TrainCLI
from sscd.training.module import CopyDetector
from tests.commands.resuming import assert_same_runs, rows_of
from tests.training.test_start import TINY

LINE = (
    *("--data.mixup.overlay", "0.4", "--data.mixup.collage", "0.3", "--model.memory.size", "10"),
    *("--model.memory.entropy", "true", "--model.objective.hardness", "0.5"),
    *("--model.objective.temperature", "0.2", "--model.objective.temperature_end", "0.05"),
    *("--model.objective.entropy_ramp", "0.5", "--trainer.log_every_n_steps", "1"),
    *("--trainer.max_epochs", "2", "--save_every", "1"),
)


class CutShortError(Exception):
    """What ends a training here."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("entropy", ["uniformity", "log_det"])
def test_a_resumed_training_is_the_same_bit_for_bit(
    entropy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = (*TINY, *LINE, "--model.objective.entropy", entropy)
    step = CopyDetector.training_step
    temperatures: list[float] = []

    def watch(self: CopyDetector, batch: Any, batch_idx: int) -> Any:
        temperatures.append(self.objective.temperature_at(self._progress(self.trainer.global_step)))
        assert (batch.contents[..., 1] >= 0).any()
        return step(self, batch, batch_idx)

    def fail_at_the_last(self: CopyDetector, batch: Any, batch_idx: int) -> Any:
        if self.trainer.global_step == 3:
            raise CutShortError
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "training_step", watch)
        whole = TrainCLI([*line], default_run=Path("whole"))
    with monkeypatch.context() as patched:
        patched.setattr(CopyDetector, "training_step", fail_at_the_last)
        with pytest.raises(CutShortError):
            TrainCLI([*line], default_run=Path("cut"))
    TrainCLI([*line, "--run_dir", "cut", "--ckpt_path", "last"], default_run=Path("cut"))
    assert_same_runs(Path("cut"), Path("whole"))
    assert len(temperatures) == 4
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[0] == 0.2
    entropies = [float(row["train/entropy"]) for row in rows_of(Path("whole")) if row["train/loss"]]
    assert len(entropies) == 4
    assert max(entropies) < 0, "both are of logarithms of what is below or above 1"
    recipe = recipe_in(read_checkpoint(whole.run.last))
    assert recipe["mixup"]["overlay"] == 0.4
    assert (recipe["objective"]["hardness"], recipe["objective"]["entropy"]) == (0.5, entropy)
