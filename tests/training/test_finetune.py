"""The shipped configurations for fine-tuning, stage after stage, on a few small pictures."""

import itertools
from pathlib import Path

import pytest
import torch
import yaml

from sscd.configs import find_config
from sscd.models.checkpoint import read_checkpoint
from tests.conftest import Runner
from tests.models.published.files import MIXUP_TORCHVISION, random_weights

TINY = (
    *("--data.layout", "auto", "--data.procedural.size", "32", "--data.procedural.training", "8"),
    *("--data.procedural.references", "4", "--data.procedural.copies", "2"),
    *("--data.procedural.distractors", "1", "--data.image_size", "32", "--data.workers", "0"),
    *("--data.inference.size", "32", "--data.batch_size", "4", "--trainer.max_epochs", "1"),
)


def test_the_stages_follow_one_another() -> None:
    stages = [
        yaml.safe_load(find_config(name).read_text())
        for name in ("finetune", "finetune_288", "finetune_384")
    ]
    assert [stage["data"]["image_size"] for stage in stages] == [224, 288, 384]
    assert [stage["model"]["weights"] for stage in stages] == [
        MIXUP_TORCHVISION,
        "runs/finetune/checkpoints/best.ckpt",
        "runs/finetune_288/checkpoints/best.ckpt",
    ]
    for before, after in itertools.pairwise(stages):
        assert before["model"]["network"] == after["model"]["network"]
        assert after["data"]["inference"]["size"] > after["data"]["image_size"]


@pytest.mark.slow
def test_three_stages_from_published_weights(run_script: Runner, tmp_path: Path) -> None:
    published = random_weights(MIXUP_TORCHVISION)
    torch.save(published, tmp_path / MIXUP_TORCHVISION)
    for name in ("finetune", "finetune_288", "finetune_384"):
        done = run_script("train.py", "--config", name, *TINY)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "warning: model.weights" not in done.stderr
    last = read_checkpoint(tmp_path / "runs" / "finetune_384" / "checkpoints" / "last.ckpt")
    first = read_checkpoint(tmp_path / "runs" / "finetune" / "checkpoints" / "last.ckpt")
    # The statistics move in the first stage, and are frozen in the two others.
    for key, value in first["state_dict"].items():
        if "running_mean" in key:
            assert torch.equal(last["state_dict"][key], value), key
            assert not torch.equal(value, published[key.removeprefix("network.")]), key
    assert last["sscd"]["recipe"]["weights"] == "runs/finetune_288/checkpoints/best.ckpt"


@pytest.mark.slow
def test_a_folder_is_compared_with_before(run_script: Runner, tmp_path: Path) -> None:
    published = random_weights(MIXUP_TORCHVISION)
    torch.save(published, tmp_path / MIXUP_TORCHVISION)
    done = run_script("train.py", "--config", "finetune_photos", *TINY, "--model.micro_batch", "2")
    assert done.returncode == 0, done.stderr
    assert "before training" in done.stdout
    last = read_checkpoint(tmp_path / "runs" / "finetune_photos" / "checkpoints" / "last.ckpt")
    state = last["state_dict"]
    for key, value in published.items():  # frozen, in parts of a batch too
        if "running" in key or "batches" in key:
            assert torch.equal(state[f"network.{key}"], value), key
    assert not torch.equal(state["network.head.bias"], published["backbone.fc.bias"])
