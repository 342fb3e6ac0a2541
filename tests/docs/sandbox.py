"""The files that the pages name, small, under the names that they use."""

import json
import os
import shutil
from pathlib import Path

import torch

from sscd.cli import main
from sscd.data.procedural import draw_picture
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.published.names import namer
from tests.commands.small import HOW, write_checkpoint
from tests.conftest import REPOSITORY
from tests.docs.smaller import smaller

COPIES = 4
# Copied by reference: no command writes into one in place.
WEIGHTS = {".ckpt", ".pt", ".safetensors", ".pth"}


def build(root: Path) -> None:
    """Draw the pictures, train on them, and keep what the training and the commands write.

    Raises:
        RuntimeError: A command failed.
    """
    draw_sets(root)
    write_published(root / "sscd_disc_mixup.torchvision.pt")
    _run(root, "train", "--config", "photos", "--data.root", "PHOTOS")
    checkpoint = root / "runs" / "photos" / "checkpoints" / "best.ckpt"
    (root / "best.ckpt").hardlink_to(checkpoint)
    write_checkpoint(root / "how.ckpt", config=HOW)
    sides = ("--queries", "QUERIES", "--references", "REFERENCES")
    small = ("--workers", "0")
    _run(root, "export", "--checkpoint", "best.ckpt", *sides, "--output", "track2.h5", *small)
    judged = ("track2.h5", "--ground-truth", "TRUTH.csv", "--samples", "0")
    learnt = ("--calibration", "calibration.json", "--output", "evaluation.h5")
    _run(root, "evaluate", *judged, "--edits", "edits.jsonl", *learnt)
    # Its queries are exact copies: other than the training's own, it reaches any precision.
    shutil.copy(root / "calibration.json", root / "runs" / "photos")
    package = ("--calibration", "calibration.json", "--output", "box.safetensors")
    _run(root, "export", "--model-only", "--checkpoint", "best.ckpt", *package)
    _run(root, "shard", "DISC21_DIR/train", "SHARDS")
    for name in ("train.py", "export.py"):
        shutil.copy(REPOSITORY / name, root)
    (root / "configs").symlink_to(REPOSITORY / "configs")
    (root / "docs").mkdir()
    for path in (REPOSITORY / "docs").glob("*.py"):
        (root / "docs" / path.name).symlink_to(path)


def copy(base: Path, folder: Path) -> None:
    """Copy what was built, for one page."""
    shutil.copytree(base, folder, symlinks=True, copy_function=_copy)


def _copy(source: str, target: str) -> None:
    if Path(source).suffix in WEIGHTS:
        Path(target).hardlink_to(source)
    else:
        shutil.copy2(source, target)


def _run(root: Path, command: str, *arguments: str) -> None:
    before = Path.cwd()
    os.chdir(root)
    try:
        if status := main([command, *smaller(command, list(arguments))]):
            raise RuntimeError(f"sscd {command} ended with status {status}")
    finally:
        os.chdir(before)


def draw_sets(root: Path) -> None:
    """Folders of pictures: queries whose first are copies of the first references."""
    numbers = iter(range(10_000))

    def draw(folder: str, names: list[str], *, quality: int = 90) -> None:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            picture = draw_picture(seed=1, index=next(numbers), size=64)
            picture.save(root / folder / name, quality=quality)

    draw("PHOTOS", [f"{number:03d}.jpg" for number in range(48)])
    rows = [f"{number:03d},{'even' if number % 2 == 0 else 'odd'}" for number in range(48)]
    rows += [f"copy{number},even" for number in range(3)]
    (root / "labels.csv").write_text("\n".join(["picture,class", *rows, ""]))
    for number in range(3):  # for `dedup` to find
        shutil.copy(root / "PHOTOS" / f"{number:03d}.jpg", root / "PHOTOS" / f"copy{number}.jpg")
    draw("TRAINING", [f"T{number:06d}.jpg" for number in range(24)])
    draw("REFERENCES", [f"R{number:06d}.jpg" for number in range(12)])
    draw("QUERIES", [f"Q{number:05d}.jpg" for number in range(COPIES, 2 * COPIES)])
    for number in range(COPIES):
        picture = root / "REFERENCES" / f"R{number:06d}.jpg"
        shutil.copy(picture, root / "QUERIES" / f"Q{number:05d}.jpg")
    rows = [
        f"Q{number:05d},R{number:06d}" if number < COPIES else f"Q{number:05d},"
        for number in range(2 * COPIES)
    ]
    truth = "\n".join(["query_id,reference_id", *rows, ""])
    (root / "TRUTH.csv").write_text(truth)
    edits = [{"query_id": f"Q{number:05d}", "edits": [{"name": "crop"}]} for number in range(8)]
    (root / "edits.jsonl").write_text("".join(json.dumps(edit) + "\n" for edit in edits))
    for folder, like in (("UPLOADS", "QUERIES"), ("KNOWN", "REFERENCES"), ("PICTURES", "PHOTOS")):
        shutil.copytree(root / like, root / folder)
    for name, number in (("a.jpg", 0), ("b.jpg", 1), ("c.jpg", 2), ("photo.jpg", 0)):
        shutil.copy(root / "PHOTOS" / f"{number:03d}.jpg", root / name)
    draw(".", ["b.png"])
    lay_out_disc21(root / "DISC21_DIR", root)


def lay_out_disc21(disc: Path, root: Path) -> None:
    """The same pictures in DISC21's layout; list files say that there are no more."""
    (disc / "list_files").mkdir(parents=True)
    for name, like in (
        ("train", "TRAINING"),
        ("references", "REFERENCES"),
        ("dev_queries", "QUERIES"),
        ("test_queries", "QUERIES"),
    ):
        shutil.copytree(root / like, disc / name)
        ids = sorted(path.stem for path in (disc / name).iterdir())
        (disc / "list_files" / name).write_text("\n".join([*ids, ""]))
    for split in ("dev", "test"):
        shutil.copy(root / "TRUTH.csv", disc / f"{split}_queries_groundtruth.csv")


def write_published(path: Path) -> None:
    """A ResNet18 under the keys of a published file."""
    torch.manual_seed(0)
    names = namer("torchvision", basic=True)
    state = DescriptorNet(NetworkConfig("resnet18", 512)).state_dict()
    torch.save({names(key): value for key, value in state.items()}, path)
