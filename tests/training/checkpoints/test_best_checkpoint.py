"""The best score goes along with its file."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from sscd.training.checkpoints.best_checkpoint import BestCheckpoint


def state_of(best: Path, *, score: float) -> dict[str, Any]:
    return {
        "monitor": "val/micro_ap",
        "best_model_score": torch.tensor(score),
        "best_model_path": str(best),
        "current_score": torch.tensor(score),
        "dirpath": str(best.parent),
        "best_k_models": {str(best): torch.tensor(score)},
        "kth_best_model_path": str(best),
        "kth_value": torch.tensor(score),
        "last_model_path": "",
    }


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    path = tmp_path / "moved" / "checkpoints" / "best.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a checkpoint")
    return path


def test_a_moved_run_keeps_its_best(moved: Path, tmp_path: Path) -> None:
    kept = BestCheckpoint(moved)
    kept.load_state_dict(state_of(tmp_path / "run" / "checkpoints" / "best.ckpt", score=0.7))
    assert kept.best_model_score == torch.tensor(0.7)
    assert kept.best_model_path == str(moved)
    assert kept.best_k_models == {str(moved): torch.tensor(0.7)}
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    assert not kept.check_monitor_top_k(trainer, torch.tensor(0.6))
    assert kept.check_monitor_top_k(trainer, torch.tensor(0.8))


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_a_new_run_from_the_checkpoint_of_another_begins_anew(tmp_path: Path) -> None:
    new = BestCheckpoint(tmp_path / "new" / "checkpoints" / "best.ckpt")
    new.load_state_dict(state_of(tmp_path / "run" / "checkpoints" / "best.ckpt", score=0.7))
    assert new.best_model_score is None
    assert not new.best_k_models


def test_checkpoints_of_before_are_understood(moved: Path) -> None:
    theirs = ModelCheckpoint(dirpath=moved.parent, monitor="val/micro_ap", mode="max")
    assert BestCheckpoint(moved).state_key == theirs.state_key
