import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sscd.augment.inference import InferenceSize
from sscd.baselines.how.codebook import Codebook
from sscd.baselines.how.index_file import SavedIndex, read_index, write_index
from sscd.errors import UserError
from tests.baselines.how.naive import random_pictures
from tests.baselines.how.test_inverted_file import built


@pytest.fixture(scope="module")
def saved() -> SavedIndex:
    codebook = Codebook(random_pictures(1, [15], 70)[0])
    return SavedIndex(
        codebook=codebook,
        training=built(codebook, random_pictures(2, [5, 9, 0], 70)),
        references=built(codebook, random_pictures(3, [8, 0, 6, 7], 70)),
        reference_ids=["a", "long/name", "b", "c"],
        model="0123456789abcdef",
        inference=InferenceSize(640, "long_side"),
        features=200,
        scales=(2.0, 0.353),
    )


@pytest.fixture
def path(tmp_path: Path, saved: SavedIndex) -> Path:
    write_index(tmp_path / "made" / "index.h5", saved)
    return tmp_path / "made" / "index.h5"


def test_what_is_written_is_read(path: Path, saved: SavedIndex) -> None:
    found = read_index(path)
    assert found.codebook.centroids.tolist() == saved.codebook.centroids.tolist()
    assert list(found.reference_ids) == saved.reference_ids
    for name in ("model", "inference", "features", "scales"):
        assert getattr(found, name) == getattr(saved, name)
    for one, other in (
        (found.training, saved.training),
        (found.references, saved.references),
    ):
        assert (one.count, one.dims) == (other.count, other.dims)
        for part in ("offsets", "images", "signatures"):
            assert getattr(one, part).tolist() == getattr(other, part).tolist()
            assert getattr(one, part).dtype == getattr(other, part).dtype
    assert [file.name for file in path.parent.iterdir()] == ["index.h5"]


def test_parts_that_do_not_belong_together_are_refused(saved: SavedIndex) -> None:
    other = Codebook(random_pictures(1, [14], 70)[0])
    for change in (
        {"codebook": other},
        {"reference_ids": ["a"]},
        {"features": 0},
        {"scales": ()},
        {"training": built(other, random_pictures(2, [5], 70))},
    ):
        with pytest.raises(ValueError, match=r"words of|ids of|features="):
            replace(saved, **change)


def set_attribute(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.attrs[name] = value

    return change


def set_dataset(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        if value is not None:
            file[name] = value

    return change


def raise_an_image(file: h5py.File) -> None:
    file["references/images"][3] = 4


def forget_pictures(file: h5py.File) -> None:
    del file["training"].attrs["pictures"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_attribute("format", "another"), "no index of local descriptors"),
        (set_attribute("version", 2), "an index of version 2, and this sscd reads 1; index the"),
        (set_attribute("mode", "upside down"), "mode got 'upside down'"),
        (set_attribute("size", "many"), "size got 'many'"),
        (set_attribute("features", "many"), "invalid literal"),
        (set_attribute("scales", ""), r"scales=\(\)"),
        (lambda file: file.attrs.__delitem__("scales"), "damaged .'scales'"),
        (lambda file: file["training"].attrs.__setitem__("pictures", -1), "got -1 pictures"),
        (forget_pictures, "not a readable HDF5 file"),
        (set_dataset("codebook", None), "codebook is missing"),
        (set_dataset("references", None), "references/offsets is missing"),
        (set_dataset("references/images", None), "references/images is missing"),
        (set_dataset("codebook", np.ones((15, 70))), "codebook is float64 of shape"),
        (set_dataset("codebook", np.ones((14, 70), "f")), "training are of 15 words"),
        (set_dataset("codebook", np.full((15, 70), np.nan, "f")), "not finite"),
        (set_dataset("codebook", np.ones((15, 300), "f")), "signatures got shape"),
        (set_dataset("reference_ids", np.array([b"a"])), "got 1 ids of 4 references"),
        (set_dataset("reference_ids", np.array([b"\xff"] * 4)), "ascii"),
        (set_dataset("training/offsets", np.zeros(16, np.int64)), "offsets do not run"),
        (set_dataset("training/signatures", np.zeros(3, np.uint64)), "of shape .3,.; expected"),
        (set_dataset("training/images", np.zeros(3, np.uint32)), "damaged"),
        (raise_an_image, "images hold 4; expected numbers below 4"),
    ],
)
def test_files_that_do_not_fit_get_one_line(
    path: Path, change: Callable[[h5py.File], None], message: str
) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(UserError, match=message) as caught:
        read_index(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 100, 3000, -1])
def test_a_truncated_file_gets_one_line(path: Path, length: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:length])
    with pytest.raises(UserError, match="not a readable HDF5 file"):
        read_index(path)


def test_a_file_that_is_absent_or_of_another_kind_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; expected an index"):
        read_index(tmp_path / "absent.h5")
    with h5py.File(tmp_path / "track2.h5", "w") as file:
        file["query"] = np.ones((2, 3), "f")
    with pytest.raises(UserError, match="no index of local descriptors"):
        read_index(tmp_path / "track2.h5")
    (tmp_path / "text.h5").write_text("query_id,reference_id,score\n")
    with pytest.raises(UserError, match="not a readable HDF5 file"):
        read_index(tmp_path / "text.h5")


def test_a_place_that_cannot_be_written_gets_one_line(tmp_path: Path, saved: SavedIndex) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        write_index(tmp_path / "file" / "index.h5", saved)


def test_a_disk_without_room_is_found_out_before(
    path: Path, saved: SavedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=900_000))
    before = sorted(path.parent.iterdir())
    with pytest.raises(UserError, match=r"it takes 1\.\d MB, and 0\.9 MB are free; make space"):
        write_index(path, saved)
    assert sorted(path.parent.iterdir()) == before
