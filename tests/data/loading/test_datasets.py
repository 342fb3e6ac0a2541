"""Pictures to be described as torch items, patient with broken files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.augment.inference import InferenceSize
from sscd.data.loading.datasets import InferencePictures, collate_pictures
from sscd.data.records import ImageSet

COUNT = 8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        noise = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"{index}.png")
    return image_set(root)


def image_set(root: Path) -> ImageSet:
    return ImageSet.from_names("test", root=root, names=[f"{i}.png" for i in range(COUNT)])


@pytest.fixture
def broken(pictures: ImageSet, tmp_path: Path) -> ImageSet:
    for index in range(COUNT):
        (tmp_path / f"{index}.png").write_bytes(pictures.path(index).read_bytes())
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.png").write_bytes(pictures.path(3).read_bytes()[:200])
    return image_set(tmp_path)


def test_a_broken_picture_to_describe_is_left_out(broken: ImageSet) -> None:
    dataset = InferencePictures(broken, InferenceSize(24, "short_side"))
    batch = collate_pictures([dataset[i] for i in range(4)])
    assert batch.positions.tolist() == [0, 1]
    assert [tuple(p.shape) for p in batch.pictures] == [(3, 24, 28), (3, 24, 28)]
    assert [Path(u.path).name for u in batch.unreadable] == ["2.png", "3.png"]


def test_a_batch_without_a_readable_picture_is_empty(broken: ImageSet) -> None:
    dataset = InferencePictures(broken, InferenceSize(24, "square"))
    batch = collate_pictures([dataset[2], dataset[3]])
    assert batch.pictures == ()
    assert batch.positions.shape == (0,)
