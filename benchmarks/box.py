"""The model in the box, from JPEG files to descriptors, against perceptual hashes in the same run.

Two threads in one process, as on two cores; both read the same files, and decode them at a reduced
scale where they are much larger than is needed.
"""

import tempfile
from pathlib import Path

import torch
from PIL import Image

from benchmarks.timing import by_turns
from sscd import Descriptor
from sscd.data.perceptual_hash import perceptual_hash
from sscd.data.procedural import draw_picture
from sscd.models.box.model import box_is_there, box_name

PICTURES, SIDE, THREADS = 128, 480, 2


def run() -> str:
    """One line: both rates, and their ratio."""
    if not box_is_there():
        return "the model in the box: there is none; name a network by SSCD_MODEL=FILE"
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measured(_draw(Path(folder)))
    finally:
        torch.set_num_threads(before)


def _measured(paths: list[Path]) -> str:
    network = Descriptor.load(device="cpu")
    described, hashed = by_turns(
        [lambda: network.describe(paths), lambda: [_hash(path) for path in paths]], rounds=3
    )
    rates = len(paths) / described, len(paths) / hashed
    size = network.inference
    return (
        f"{box_name()} at {size.size} px ({size.mode}), JPEG files of {SIDE}x{SIDE}, {THREADS} "
        f"threads: {rates[0]:,.0f} images/s, perceptual hash {rates[1]:,.0f}: "
        f"{rates[0] / rates[1]:.2f}x"
    )


def _draw(folder: Path) -> list[Path]:
    paths = [folder / f"{number}.jpg" for number in range(PICTURES)]
    for number, path in enumerate(paths):
        draw_picture(seed=4, index=number, size=SIDE).save(path, quality=85)
    return paths


def _hash(path: Path) -> object:
    with Image.open(path) as picture:
        picture.draft("L", (64, 64))
        return perceptual_hash(picture)


if __name__ == "__main__":
    print(run())  # noqa: T201
