"""Pictures in Parquet: in the layouts that people have, and the broken ones."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from sscd.data.decode import UnreadableImage
from sscd.data.pictures.tables import open_picture_parquet
from sscd.data.records import Pictures
from sscd.errors import UserError
from tests.data.noise import noise, write_pictures

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(file: Path, /, **columns: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), file, row_group_size=2)


def opened(root: Path, files: Sequence[str]) -> Pictures:
    return open_picture_parquet(files, base=str(root), name="set", location="source")


def images(count: int, *, start: int = 0) -> list[bytes]:
    return [noise(start + index) for index in range(count)]


def contents(pictures: Pictures) -> list[bytes]:
    sources = [pictures.source(index) for index in range(len(pictures))]
    return [item if isinstance(item, bytes) else item.read_bytes() for item in sources]


def test_bytes_with_ids_in_several_files(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", image=images(3), id=["x", "caf\xe9 1", "a/b.png"])
    write(tmp_path / "sub" / "b.parquet", image=images(2, start=3), id=["y", "z,%"])
    pictures = opened(tmp_path, ["a.parquet", "sub/b.parquet"])
    assert pictures.ids == ["x", "caf%C3%A9%201", "a/b.png", "y", "z%2C%25"]
    assert [pictures.id(index) for index in range(5)] == pictures.ids
    assert contents(pictures) == images(5)
    assert pictures.path(4) == tmp_path / "sub" / "b.parquet" / "row 1"
    assert contents(pickle.loads(pickle.dumps(pictures))) == images(5)
    some = pictures.subset([4, 0], name="other")
    assert (some.ids, some.name) == (["z%2C%25", "x"], "other")
    assert contents(some) == [noise(4), noise(0)]
    assert len(some.names) == 2


def test_numbers_are_ids(tmp_path: Path) -> None:
    write(tmp_path / "a", image=images(2), id=pa.array([7, -1], pa.int64()))
    assert opened(tmp_path, ["a"]).ids == ["7", "-1"]


def test_as_hugging_face_writes_them(tmp_path: Path) -> None:
    rows = [{"bytes": noise(index), "path": f"{index}.png"} for index in range(3)]
    write(tmp_path / "a.parquet", image=pa.array(rows, STRUCT), label=[0, 1, 2])
    pictures = opened(tmp_path, ["a.parquet"])
    assert pictures.ids == ["0", "1", "2"]
    assert contents(pictures) == images(3)


def test_paths_that_lack_give_way_to_rows(tmp_path: Path) -> None:
    rows = [{"bytes": noise(0), "path": "0.png"}, {"bytes": noise(1), "path": None}]
    write(tmp_path / "train-0.parquet", image=pa.array(rows, STRUCT))
    write(tmp_path / "plain.parquet", image=pa.array(images(1), pa.large_binary()))
    assert opened(tmp_path, ["train-0.parquet"]).ids == ["train-0/0", "train-0/1"]
    assert opened(tmp_path, ["plain.parquet"]).ids == ["plain/0"]


def test_a_row_may_name_its_file(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2)
    rows = [{"bytes": None, "path": "00.png"}, {"bytes": b"", "path": None}, None]
    write(tmp_path / "a.parquet", image=pa.array(rows, STRUCT))
    pictures = opened(tmp_path, ["a.parquet"])
    assert pictures.source(0) == tmp_path / "00.png"
    for index in (1, 2):
        with pytest.raises(UnreadableImage, match=rf"a\.parquet/row {index}: no picture"):
            pictures.source(index)


def test_a_column_of_paths(tmp_path: Path) -> None:
    write_pictures(tmp_path / "sub" / "deep", 2)
    paths = ["deep/00.png", f"{tmp_path}/sub/deep/01.png"]
    write(tmp_path / "sub" / "a.parquet", path=paths)
    pictures = opened(tmp_path, ["sub/a.parquet"])
    assert pictures.ids == ["deep/00", f"{tmp_path}/sub/deep/01"]
    assert contents(pictures) == images(2)
    write(tmp_path / "sub" / "b.parquet", path=paths, id=["one", "two"])
    assert opened(tmp_path, ["sub/b.parquet"]).ids == ["one", "two"]
    write(tmp_path / "sub" / "c.parquet", path=paths, image=images(2, start=5))
    pictures = opened(tmp_path, ["sub/c.parquet"])
    assert pictures.ids[0] == "deep/00"
    assert contents(pictures) == images(2, start=5)


def test_a_damaged_row_group_is_an_unreadable_picture(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", image=pa.array([b"A" * 3000, b"B" * 3000], pa.binary()))
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[4:60] = b"\xff" * 56
    (tmp_path / "a.parquet").write_bytes(data)
    pictures = opened(tmp_path, ["a.parquet"])
    with pytest.raises(UnreadableImage, match="row cannot be read"):
        pictures.source(0)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"label": [1]}, "a has the columns label; expected pictures in 'image'"),
        ({"image": [1.5]}, "column 'image' is double; expected bytes"),
        ({"image": ["text"]}, "column 'image' is string; expected bytes"),
        ({"image": [b"x"] * 3, "id": ["p", "q", "p"]}, "id p is in a row 0 and in a row 2"),
        ({"image": [b"x"] * 2, "id": ["p", None]}, "a row 1 has no usable id"),
        ({"image": [b"x"], "id": [""]}, "a row 0 has no usable id"),
        ({"image": [b"x"], "id": ["a\0b"]}, "a row 0 has no usable id"),
        ({"image": [b"x"], "id": [[1]]}, "a cannot be read as Parquet"),
        ({"path": ["p", None]}, "a row 1 has no usable path"),
        ({"path": ["p", "q", "q"]}, "path q is in a row 1 and in a row 2"),
        ({"path": pa.array([], pa.string())}, "source has no row"),
    ],
)
def test_unfit_columns(columns: dict[str, Any], expected: str, tmp_path: Path) -> None:
    write(tmp_path / "a", **columns)
    with pytest.raises(UserError, match=expected):
        opened(tmp_path, ["a"])


def test_files_must_be_alike_and_ids_differ(tmp_path: Path) -> None:
    write(tmp_path / "a", image=[b"x"], id=["p"])
    write(tmp_path / "b", image=[b"x"])
    write(tmp_path / "c", image=[b"x"], id=["p"])
    with pytest.raises(UserError, match="differ in whether they have image and id"):
        opened(tmp_path, ["a", "b"])
    with pytest.raises(UserError, match="id p is in a row 0 and in c row 0"):
        opened(tmp_path, ["a", "c"])


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1", b""])
def test_damaged_files(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(UserError, match="a cannot be read as Parquet"):
        opened(tmp_path, ["a"])
