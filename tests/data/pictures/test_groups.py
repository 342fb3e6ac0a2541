from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image

from sscd.augment.inference import InferenceSize
from sscd.data.loading.datasets import InferencePictures, collate_pictures
from sscd.data.pictures.groups import collate_groups, dealt_batches
from sscd.data.records import ImageSet


def test_groups_hold_the_pictures_of_a_batch(tmp_path: Path) -> None:
    sizes = [(40, 20), (20, 40), (40, 20), (30, 20)]
    for index, size in enumerate(sizes):
        Image.new("RGB", size, (index * 40, 9, 200)).save(tmp_path / f"{index}.png")
    names = ["0.png", "absent.png", "1.png", "2.png", "3.png"]
    images = ImageSet.from_names("set", root=tmp_path, names=names)
    dataset = InferencePictures(images, InferenceSize(20, "short_side"))
    samples = [dataset[index] for index in range(5)]
    grouped, plain = collate_groups(samples), collate_pictures(samples)
    assert [tuple(group.shape) for group in grouped.groups] == [
        (2, 3, 20, 40),
        (1, 3, 40, 20),
        (1, 3, 20, 30),
    ]
    assert grouped.positions.tolist() == [0, 3, 2, 4]
    assert grouped.unreadable == plain.unreadable
    flat = [picture for group in grouped.groups for picture in group]
    by_position = dict(zip(plain.positions.tolist(), plain.pictures, strict=True))
    for position, picture in zip(grouped.positions.tolist(), flat, strict=True):
        assert torch.equal(picture, by_position[position])


def test_a_batch_may_have_nothing_to_describe(tmp_path: Path) -> None:
    images = ImageSet.from_names("set", root=tmp_path, names=["absent.png"])
    grouped = collate_groups([InferencePictures(images, InferenceSize(20))[0]])
    assert grouped.groups == ()
    assert len(grouped.positions) == 0
    assert len(grouped.unreadable) == 1


def dealt(count: int, size: int, workers: int) -> list[list[int]]:
    return [list(batch) for batch in dealt_batches(range(count), size=size, workers=workers)]


@pytest.mark.parametrize("count", [0, 1, 7, 24, 25])
@pytest.mark.parametrize("workers", [0, 1, 2, 3, 5])
def test_each_worker_reads_a_run(count: int, workers: int) -> None:
    batches = dealt(count, 3, workers)
    assert sorted(batches) == [
        list(range(start, min(start + 3, count))) for start in range(0, count, 3)
    ]
    for worker in range(max(workers, 1)):
        own: Sequence[int] = [p for b in batches[worker :: max(workers, 1)] for p in b]
        assert list(own) == list(range(own[0], own[0] + len(own))) if own else True
