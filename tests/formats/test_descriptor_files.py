from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.data.descriptors import Descriptors, Origin
from sscd.errors import UserError
from sscd.formats.descriptor_files import open_descriptors
from sscd.formats.origins import origin_attributes
from sscd.formats.track2.hdf5 import Hdf5Rows
from sscd.formats.track2.hdf5_file import Track2, write_track2, write_vectors

ORIGIN = Origin("abc", "288 short_side")


def rows(count: int, *, dims: int = 4) -> NDArray[np.float32]:
    return np.random.default_rng(count).standard_normal((count, dims)).astype(np.float32)


def older(path: Path, ids: str, *, origin: Origin = ORIGIN, dims: int = 4) -> Path:
    described = Descriptors(list(ids), rows(len(ids), dims=dims))
    write_vectors(path, described, origin_attributes(origin))
    return path


@pytest.fixture
def official(tmp_path: Path) -> Path:
    path = tmp_path / "track2.h5"
    write_track2(
        path, Track2(["Q0", "Q1"], rows(2), list("ABC"), rows(3), origin_attributes(ORIGIN))
    )
    return path


def test_sides_of_the_official_file(official: Path) -> None:
    queries = open_descriptors([official], side="query")
    assert (queries.ids, queries.origin) == (["Q0", "Q1"], ORIGIN)
    assert isinstance(queries.vectors, Hdf5Rows)
    assert np.array_equal(np.asarray(queries.vectors), rows(2))
    references = open_descriptors([official], side="reference")
    assert references.ids == ["A", "B", "C"]
    assert np.array_equal(np.asarray(references.vectors), rows(3))


def test_an_older_file_is_either_side_and_keeps_its_order(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t", "w") as handle:
        handle["vectors"], handle["image_names"] = rows(3), [b"c", b"a", b"b"]
    for side in ("query", "reference"):
        got = open_descriptors([tmp_path / "t"], side=side)
        assert (got.ids, got.origin) == (["c", "a", "b"], Origin())
        assert np.array_equal(np.asarray(got.vectors), rows(3))


def test_a_file_of_one_side_only(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as handle:
        handle["reference"], handle["reference_ids"] = rows(2), [b"R0", b"R1"]
    assert open_descriptors([tmp_path / "t.h5"], side="reference").ids == ["R0", "R1"]
    with pytest.raises(UserError, match="no dataset query"):
        open_descriptors([tmp_path / "t.h5"], side="query")


def test_several_files_are_one_side(official: Path, tmp_path: Path) -> None:
    more = older(tmp_path / "more.h5", "XY")
    got = open_descriptors([more, official], side="reference")
    assert "".join(got.ids) == "XYABC"
    assert got.origin == ORIGIN
    assert np.array_equal(np.asarray(got.vectors), np.concatenate([rows(2), rows(3)]))
    assert np.array_equal(got.vectors[1:3], np.concatenate([rows(2)[1:], rows(3)[:1]]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ids": "XBY"}, r"id B is in .*track2\.h5 and in .*more\.h5"),
        (
            {"ids": "XY", "origin": Origin("xyz")},
            r"track2\.h5 has model abc and .*more\.h5 model xyz",
        ),
        ({"ids": "XY", "dims": 5}, r"track2\.h5 has 4 dimensions and .*more\.h5 5"),
    ],
)
def test_files_that_do_not_belong_together(
    official: Path, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    more = older(tmp_path / "more.h5", **settings)
    with pytest.raises(UserError, match=words):
        open_descriptors([official, more], side="reference")


def test_the_same_file_twice(official: Path) -> None:
    with pytest.raises(UserError, match="id A is in"):
        open_descriptors([official, official], side="reference")


def test_parquet_is_one_of_them(official: Path, tmp_path: Path) -> None:
    from sscd.formats.parquet.writing import PartInfo, encode_part, part_name

    info = PartInfo(ORIGIN, 4, 0, 1, "source", 2, 0)
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts" / part_name(0, 1)
    part.write_bytes(encode_part(["X", "Y"], rows(2), info))
    for place in (part, part.parent):
        got = open_descriptors([place, official], side="reference")
        assert "".join(got.ids) == "XYABC"
        assert np.array_equal(np.asarray(got.vectors)[:2], rows(2))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("Q1,R1,1\n")
    with pytest.raises(UserError, match=r"p\.csv: predictions of track 1"):
        open_descriptors([tmp_path / "p.csv"], side="query")
    with pytest.raises(UserError, match="no such file"):
        open_descriptors([tmp_path / "absent"], side="query")
    with pytest.raises(ValueError, match="no paths"):
        open_descriptors([], side="query")
