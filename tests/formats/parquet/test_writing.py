"""Descriptors in Parquet: written, read back by slices, and refused where they are damaged."""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.formats.parquet.files import has_descriptors, open_parquet
from sscd.formats.parquet.rows import ParquetRows, RowGroups
from sscd.formats.parquet.writing import (
    PartInfo,
    decode_info,
    encode_part,
    parse_part_name,
    part_name,
)

ORIGIN = Origin("0123456789abcdef", "288 short_side")


def rows(count: int, *, seed: int = 0, dims: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)


def part(
    number: int = 0, count: int = 1, *, size: int = 3, origin: Origin = ORIGIN, dims: int = 4
) -> bytes:
    ids = [f"{number}-{row}" for row in range(size)]
    info = PartInfo(origin, dims, number, count, "photos", size + 1, 1)
    return encode_part(ids, rows(size, seed=number, dims=dims), info)


def write_parts(folder: Path, sizes: Sequence[int]) -> np.ndarray:
    folder.mkdir(exist_ok=True)
    for number, size in enumerate(sizes):
        name = part_name(number, len(sizes))
        (folder / name).write_bytes(part(number, len(sizes), size=size))
    return np.concatenate([rows(size, seed=number) for number, size in enumerate(sizes)])


def write_table(path: Path, metadata: dict[str, str] | None = None, **columns: Any) -> Path:
    table = pa.table(columns)
    parquet.write_table(table.replace_schema_metadata(metadata) if metadata else table, path)
    return path


def vectors(values: np.ndarray) -> Any:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def test_the_columns_are_those_that_others_expect() -> None:
    data = part()
    table = parquet.read_table(io.BytesIO(data))
    assert table.schema.names == ["id", "descriptor", "model_fingerprint"]
    kinds = [table.schema.field(name).type for name in table.schema.names]
    assert [kinds[0], kinds[2]] == [pa.string(), pa.dictionary(pa.int32(), pa.string())]
    assert (kinds[1].list_size, kinds[1].value_type) == (4, pa.float32())
    assert table["id"].to_pylist() == ["0-0", "0-1", "0-2"]
    np.testing.assert_array_equal(table["descriptor"].to_pylist(), rows(3))
    assert table["model_fingerprint"].to_pylist() == [ORIGIN.model] * 3
    assert decode_info(table.schema.metadata) == PartInfo(ORIGIN, 4, 0, 1, "photos", 4, 1)
    assert part() == data


def test_wrong_shapes_are_a_mistake() -> None:
    info = PartInfo(ORIGIN, 4, 0, 1, "photos", 4, 1)
    with pytest.raises(ValueError, match=r"got vectors \(3, 4\); expected \(2, 4\)"):
        encode_part(["a", "b"], rows(3), info)


def test_names_of_parts() -> None:
    assert parse_part_name(part_name(12, 123456)) == (12, 123456)
    for name in ("part-1-of-2.parquet", "part-00000-of-00001.parquet.part", "describe.json"):
        assert parse_part_name(name) is None


def test_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(part())
    described = open_parquet(tmp_path / "a.parquet")
    assert (described.ids, described.origin) == (["0-0", "0-1", "0-2"], ORIGIN)
    np.testing.assert_array_equal(described.vectors[0:3], rows(3))


@pytest.mark.parametrize("sizes", [(1,), (3, 1, 4), (0, 2, 0, 5, 0), (0, 0)])
def test_slices_of_parts(sizes: tuple[int, ...], tmp_path: Path) -> None:
    expected = write_parts(tmp_path, sizes)
    (tmp_path / "describe.json").write_text("{}")
    described = open_parquet(tmp_path)
    assert described.vectors.shape == (sum(sizes), 4)
    assert len(described.ids) == sum(sizes)
    for start in range(sum(sizes) + 1):
        for stop in range(start, sum(sizes) + 2):
            np.testing.assert_array_equal(described.vectors[start:stop], expected[start:stop])


def test_parts_behind_a_url(tmp_path: Path) -> None:
    import fsspec

    expected = write_parts(tmp_path, (3, 2))
    for file in tmp_path.iterdir():
        fsspec.filesystem("memory").pipe_file(f"/parts/{file.name}", file.read_bytes())
    np.testing.assert_array_equal(open_parquet("memory://parts").vectors[1:5], expected[1:])
    one = open_parquet("memory://parts/part-00001-of-00002.parquet")
    np.testing.assert_array_equal(one.vectors[0:2], expected[3:])
    with pytest.raises(UserError, match="no Parquet"):
        open_parquet("memory://none")


def test_row_groups_are_cut_and_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sscd.formats.parquet.writing.ROW_GROUP", 5)
    (tmp_path / "a").write_bytes(part(size=23))
    vectors = open_parquet(tmp_path / "a").vectors
    assert isinstance(vectors, ParquetRows)
    assert vectors.sizes == (5, 5, 5, 5, 3)
    for start, stop in ((0, 23), (4, 6), (5, 10), (22, 23), (7, 19), (9, 9), (30, 40)):
        np.testing.assert_array_equal(vectors[start:stop], rows(23)[start:stop])
    np.testing.assert_array_equal(np.asarray(vectors), rows(23))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vectors))[3:9], rows(23)[3:9])
    with pytest.raises(ValueError, match="step of 2"):
        vectors[0:4:2]


def test_few_row_groups_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow.parquet import ParquetFile

    read = []
    original = ParquetFile.read_row_group

    def counted(self: Any, group: int, **options: Any) -> Any:
        read.append(group)
        return original(self, group, **options)

    monkeypatch.setattr(ParquetFile, "read_row_group", counted)
    monkeypatch.setattr("sscd.formats.parquet.writing.ROW_GROUP", 1)
    (tmp_path / "a").write_bytes(part(size=6))
    vectors = open_parquet(tmp_path / "a").vectors
    for row in (0, 1, 2, 3, 0, 1, 2, 3, 4, 0):
        vectors[row : row + 1]
    assert read == [0, 1, 2, 3, 4, 0]
    monkeypatch.setattr("sscd.formats.parquet.rows._LARGEST_CACHED", 0)
    for row in (4, 4, 3, 4):  # of those over the limit one is kept
        vectors[row : row + 1]
    assert read[6:] == [4, 3, 4]
    with pytest.raises(ValueError, match="read-only"):
        vectors[1:2][0, 0] = 1


def test_files_of_others(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.parquet", id=["x", "y"], descriptor=vectors(rows(2)))
    described = open_parquet(path)
    assert (described.ids, described.origin) == (["x", "y"], Origin())
    write_table(
        tmp_path / "b.parquet",
        id=pa.array(["z"], pa.large_string()),
        descriptor=vectors(rows(1)),
        model_fingerprint=["abc"],
    )
    assert open_parquet(tmp_path / "b.parquet").origin == Origin("abc")
    (tmp_path / "b.parquet").write_bytes(path.read_bytes())
    with pytest.raises(UserError, match=r"id x is in .*a\.parquet row 0 and in .*b\.parquet row 0"):
        open_parquet(tmp_path)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"id": ["x"]}, "no column 'descriptor' but id"),
        ({"descriptor": [[1.0]]}, "no column 'id' but descriptor"),
        ({"id": ["x"], "descriptor": [[1.0]]}, "column 'descriptor' is list"),
        ({"id": ["x"], "descriptor": vectors(np.ones((1, 2)))}, "expected lists of D float32"),
        ({"id": [1], "descriptor": vectors(rows(1))}, "column 'id' is int64; expected strings"),
        ({"id": [None, "x"], "descriptor": vectors(rows(2))}, "an id is null"),
        ({"id": ["x", "x"], "descriptor": vectors(rows(2))}, "id x is in .*row 0 and in .*row 1"),
        (
            {"id": ["x", "y"], "descriptor": vectors(rows(2)), "model_fingerprint": ["a", "b"]},
            "descriptors of 2 models",
        ),
    ],
)
def test_unfit_columns(columns: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=expected):
        open_parquet(write_table(tmp_path / "a", **columns))


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("{", "cannot be used"),
        ("[]", "its metadata is broken"),
        ('{"format": "sscd-descriptors"}', "its metadata is broken"),
        ('{"format": "sscd-descriptors", "version": 2}', "it is sscd-descriptors 2; this version"),
        ('{"format": "sscd-descriptors", "version": 1, "origin": {}}', "its metadata is broken"),
    ],
)
def test_unfit_metadata(metadata: str, expected: str, tmp_path: Path) -> None:
    path = write_table(tmp_path / "a", {"sscd": metadata}, id=["x"], descriptor=vectors(rows(1)))
    with pytest.raises(UserError, match=expected):
        open_parquet(path)


def test_metadata_of_other_dimensions(tmp_path: Path) -> None:
    said = parquet.read_schema(io.BytesIO(part(dims=5))).metadata[b"sscd"].decode()
    path = write_table(tmp_path / "a", {"sscd": said}, id=["x"], descriptor=vectors(rows(1)))
    with pytest.raises(UserError, match="says 5 dimensions; it has 4"):
        open_parquet(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_must_be_finite(value: float, tmp_path: Path) -> None:
    values = rows(3)
    values[1, 2] = value
    path = write_table(tmp_path / "a", id=["x", "y", "z"], descriptor=vectors(values))
    described = open_parquet(path)
    with pytest.raises(UserError, match="row group 0 row 1 is not finite"):
        described.vectors[0:3]


def test_descriptors_must_not_be_null(tmp_path: Path) -> None:
    column = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
    described = open_parquet(write_table(tmp_path / "a", id=["x", "y"], descriptor=column))
    with pytest.raises(UserError, match="a descriptor is null"):
        described.vectors[0:2]


def test_damaged_bytes_are_noticed(tmp_path: Path) -> None:
    data = bytearray(part(size=50))
    place = data.index(rows(50).tobytes()) + 333
    data[place] ^= 1  # a number that is as good as the one before, but for the checksum
    (tmp_path / "a").write_bytes(data)
    described = open_parquet(tmp_path / "a")
    with pytest.raises(UserError, match="row group 0 cannot be read"):
        described.vectors[0:50]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"text", part()[:-1], part()[:200]])
def test_damaged_files(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(UserError, match=r"a cannot be used .*the same `sscd describe` goes on"):
        open_parquet(tmp_path / "a")


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(part())
    described = open_parquet(tmp_path / "a")
    (tmp_path / "a").unlink()
    with pytest.raises(UserError, match="row group 0 cannot be read"):
        described.vectors[0:1]
    with pytest.raises(UserError, match="no such file"):
        open_parquet(tmp_path / "a")


def test_a_directory_that_is_not_finished(tmp_path: Path) -> None:
    write_parts(tmp_path, (1,) * 9)
    for number in (2, 3, 5, 8):
        (tmp_path / part_name(number, 9)).unlink()
    with pytest.raises(
        UserError, match=r"4 of 9 partitions are missing \(2, 3, 5, …\); the same `sscd describe`"
    ):
        open_parquet(tmp_path)
    (tmp_path / part_name(0, 10)).write_bytes(part())
    with pytest.raises(UserError, match="holds parts of 9 and of 10"):
        open_parquet(tmp_path)


def test_a_directory_without_parts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no Parquet"):
        open_parquet(tmp_path)
    (tmp_path / "describe.json").write_text("{}")
    with pytest.raises(UserError, match="is not finished: no part is there"):
        open_parquet(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        {"origin": Origin("fedcba9876543210", "288 short_side")},
        {"origin": Origin(ORIGIN.model, "224 square")},
        {"dims": 5},
    ],
)
def test_parts_of_two_models(other: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / part_name(0, 2)).write_bytes(part(0, 2))
    (tmp_path / part_name(1, 2)).write_bytes(part(1, 2, **other))
    with pytest.raises(UserError, match="are of different models or settings"):
        open_parquet(tmp_path)


def test_what_holds_descriptors(tmp_path: Path) -> None:
    assert not has_descriptors(tmp_path)
    assert not has_descriptors(tmp_path / "absent")
    images = write_table(tmp_path / "images.parquet", image=[b"x"])
    assert not has_descriptors(images)
    assert not has_descriptors(tmp_path)
    (tmp_path / "describe.json").write_text("{}")
    assert has_descriptors(tmp_path)
    for name in ("parts", "others"):
        (tmp_path / name).mkdir()
    (tmp_path / "parts" / part_name(3, 9)).write_bytes(b"")
    assert has_descriptors(tmp_path / "parts")
    (tmp_path / "others" / "a.parquet").write_bytes(part())
    assert has_descriptors(tmp_path / "others")
    assert has_descriptors(tmp_path / "others" / "a.parquet")
    (tmp_path / "broken").write_bytes(b"PAR1 and no more")
    assert not has_descriptors(tmp_path / "broken")


def test_the_cache_can_be_sent() -> None:
    assert isinstance(pickle.loads(pickle.dumps(RowGroups())), RowGroups)
