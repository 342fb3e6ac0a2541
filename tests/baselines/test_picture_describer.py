from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sscd.baselines.picture_describer import PictureDescriber
from sscd.data.decode import UnreadableImage
from sscd.data.descriptors import Origin
from sscd.data.records import ImageSet
from sscd.errors import UserError


def size_of(image: Image.Image) -> NDArray[np.int64]:
    return np.array(image.size)


def doubled(sizes: NDArray[Any]) -> NDArray[np.float32]:
    return sizes.astype(np.float32) * 2


def picture_set(root: Path, count: int = 5, *, broken: int | None = 2) -> ImageSet:
    root.mkdir(exist_ok=True)
    names = [f"{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        Image.new("RGB", (number + 1, 7)).save(root / name)
    if broken is not None:
        (root / names[broken]).write_bytes(b"no picture")
    return ImageSet.from_names("queries", root=root, names=names)


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_are_those_of_the_pictures_that_can_be_read(tmp_path: Path, workers: int) -> None:
    describe = PictureDescriber(size_of, doubled, workers, Origin(model="sizes"))
    described = describe(picture_set(tmp_path))
    assert list(described.ids) == ["0", "1", "3", "4"]
    assert described.vectors[:].tolist() == [[2, 14], [4, 14], [8, 14], [10, 14]]
    assert described.vectors[:].dtype == np.float32
    assert described.origin == Origin(model="sizes")
    assert len(describe.skipped) == 1
    assert "2.png (not a picture of a known format)" in describe.skipped.summary()


def test_pictures_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sscd.baselines.picture_describer._BATCH", 3)
    seen = []

    def finish(sizes: NDArray[Any]) -> NDArray[np.float32]:
        seen.append(len(sizes))
        return doubled(sizes)

    described = PictureDescriber(size_of, finish, 0)(picture_set(tmp_path, 8, broken=1))
    assert seen == [3, 3, 1]
    assert described.vectors[:][:, 0].tolist() == [2, 6, 8, 10, 12, 14, 16]


def test_no_picture_at_all_is_one_line(tmp_path: Path) -> None:
    images = picture_set(tmp_path).subset([2])
    describe = PictureDescriber(size_of, doubled, 0)
    with pytest.raises(UserError, match=r"no picture of queries can be read, for example .*2\.png"):
        describe(images)
    with pytest.raises(UserError, match="no picture of queries can be read; are"):
        describe(images.subset([]))


class Bytes(ImageSet):
    """Pictures that come as bytes, as those of shards do; one cannot be had."""

    def source(self, index: int) -> Any:
        if index == 1:
            raise UnreadableImage(self.path(index), "no such row")
        return self.path(index).read_bytes()


@pytest.mark.parametrize("workers", [0, 2])
def test_bytes_are_read_and_what_cannot_be_had_is_noted(tmp_path: Path, workers: int) -> None:
    names = picture_set(tmp_path).names.tolist()
    describe = PictureDescriber(size_of, doubled, workers)
    described = describe(Bytes.from_names("queries", root=tmp_path, names=names))
    assert list(described.ids) == ["0", "3", "4"]
    assert len(describe.skipped) == 2
    assert "1.png (no such row)" in describe.skipped.summary()
    assert "2.png (not a picture of a known format)" in describe.skipped.summary()


def test_hardware_says_how_many_processes() -> None:
    assert PictureDescriber(size_of, doubled, 0).hardware.endswith(", 1 process)")
    assert PictureDescriber(size_of, doubled, 3).hardware.endswith(", 3 processes)")
