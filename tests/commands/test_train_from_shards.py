"""Training from shards, with views finished on the device and mixed, as a user runs it."""

import json
from pathlib import Path

from sscd.cli import main
from sscd.data.procedural_set import procedural_collection
from tests.commands.test_train_and_export import TINY, micro_aps
from tests.conftest import Runner

ON_DEVICE = ("--data.augment_on", "device", "--data.mixup.probability", "0.5")


def _pack(tmp_path: Path) -> Path:
    """Draw a tiny set, and pack its training pictures."""
    counts = {"training": 24, "references": 12, "distractors": 4, "copies": 6}
    procedural_collection(tmp_path / "cache", seed=0, size=32, **counts)
    (root,) = (tmp_path / "cache").glob("procedural-*")
    assert main(["shard", str(root / "train"), str(tmp_path / "shards"), "--workers", "0"]) == 0
    return root


def test_shards_take_the_place_of_the_training_files(run_script: Runner, tmp_path: Path) -> None:
    root = _pack(tmp_path)
    (root / "train").rename(root / "away")
    command = (*TINY, "--data.root", str(root), "--data.shards", "shards", "--run_dir", "runs/s")
    done = run_script("train.py", *command, *ON_DEVICE)
    assert done.returncode == 0, done.stderr
    assert "24 training, 12 references, 10 queries" in done.stdout
    assert len(micro_aps(tmp_path / "runs" / "s")) == 2

    index = json.loads((tmp_path / "shards" / "index.json").read_text())
    (tmp_path / "shards" / index["shards"][0]["name"]).write_bytes(b"cut short")
    broken = run_script("train.py", *command)
    assert broken.returncode == 2
    assert "none of 1 shards is there as it was written" in broken.stderr
