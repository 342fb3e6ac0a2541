"""Track-2 files whose vectors stay on disk, on the way in and out."""

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from sscd.data.descriptors import Descriptors
from sscd.errors import UserError
from sscd.formats.track2.hdf5 import Hdf5Rows
from sscd.formats.track2.hdf5_file import (
    Track2,
    open_track2,
    read_track2,
    write_track2,
    write_vectors,
)
from sscd.formats.track2.problems import problems_of_track2
from sscd.vectors import Stacked, Vectors

COUNT = 200_000


def save(path: Path, *, dims: int) -> Path:
    """Two queries, and references that hold the number of their row."""
    with h5py.File(path, "w") as handle:
        saved = handle.create_dataset("reference", (COUNT, dims), "f4")
        for start in range(0, COUNT, 20_000):
            rows = np.arange(start, start + 20_000, dtype="f4")
            saved[start : start + 20_000] = np.repeat(rows, dims).reshape(-1, dims)
        handle["reference_ids"] = np.array([b"R%06d" % i for i in range(COUNT)])
        handle["query"] = np.ones((2, dims), "f4")
        handle["query_ids"] = np.array([b"Q0", b"Q1"])
    return path


def test_a_file_is_opened_and_checked_in_little_memory(tmp_path: Path) -> None:
    path = save(tmp_path / "track2.h5", dims=256)
    tracemalloc.start()
    opened = open_track2(path)
    _, opening = tracemalloc.get_traced_memory()
    assert list(problems_of_track2(path)) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    path.unlink()
    whole = COUNT * 256 * 4
    assert opening < whole / 4
    assert peak < whole * 2 / 3  # a block, which is a third, and ids
    assert isinstance(opened.references, Hdf5Rows)


def test_rows_on_disk_are_sorted_on_the_way_out(tmp_path: Path) -> None:
    source = open_track2(save(tmp_path / "source.h5", dims=2))
    assert source.references[123_456:123_458][:, 0].tolist() == [123_456, 123_457]
    order = np.random.default_rng(0).permutation(COUNT)
    names = [f"N{place:06d}" for place in np.argsort(order).tolist()]  # row order[i] becomes i
    write_track2(
        tmp_path / "sorted.h5",
        Track2[Vectors](["Q1", "Q0"], source.queries, names, source.references),
    )
    got = open_track2(tmp_path / "sorted.h5")
    assert got.query_ids == ["Q0", "Q1"]
    assert list(got.reference_ids) == [f"N{i:06d}" for i in range(COUNT)]
    assert np.array_equal(np.asarray(got.references)[:, 0], order.astype(np.float32))


def test_parts_are_written_as_one(tmp_path: Path) -> None:
    rows = np.arange(24, dtype=np.float32).reshape(6, 4)
    parts = Stacked([rows[4:], rows[:4]])
    write_track2(
        tmp_path / "t.h5", Track2[Vectors](["Q"], rows[:1], list("EFABCD"), parts, {"p": 1})
    )
    got = read_track2(tmp_path / "t.h5")
    assert "".join(got.reference_ids) == "ABCDEF"
    assert np.array_equal(got.references, rows)
    assert got.attributes == {"p": 1}


def test_a_value_that_is_not_finite_is_named_by_its_new_row(tmp_path: Path) -> None:
    rows = np.zeros((4, 2), np.float32)
    rows[1, 0] = np.inf
    for source in (rows, Stacked([rows])):
        with pytest.raises(UserError, match=r"reference row 2 \(C\) holds a value"):
            write_track2(tmp_path / "t.h5", Track2[Vectors](["Q"], rows[:1], list("DCBA"), source))
    assert list(tmp_path.iterdir()) == []


def test_the_older_layout_takes_any_dimension(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((3, 960)).astype(np.float32)
    write_vectors(tmp_path / "gist.h5", Descriptors(["b", "a", "c"], rows), {"model": "gist"})
    with h5py.File(tmp_path / "gist.h5") as handle:
        assert set(handle) == {"vectors", "image_names"}
        assert handle["image_names"][:].tolist() == [b"a", b"b", b"c"]
        assert np.array_equal(handle["vectors"][:], rows[[1, 0, 2]])
        assert handle.attrs["model"] == "gist"
    with pytest.raises(ValueError, match="float64"):
        write_vectors(tmp_path / "x.h5", Descriptors(["a"], np.zeros((1, 2))))
