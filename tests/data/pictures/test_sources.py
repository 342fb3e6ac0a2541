"""What a source is, told by its content."""

import shutil
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from sscd.data.listing import scan_images
from sscd.data.pictures.sources import PictureSource, open_pictures
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.writer import pack_shards
from sscd.errors import UserError
from tests.data.noise import noise, write_pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "folder", 5)
    (tmp_path / "folder" / "notes.txt").write_text("x")
    (tmp_path / "folder" / "meta.parquet").write_bytes(b"x")
    return tmp_path / "folder"


def opened(source: Path | str) -> PictureSource:
    return open_pictures(str(source), name="set", cache=Path("/nonexistent"))


def upload(folder: Path, url: str) -> None:
    system, path = fsspec.core.url_to_fs(url)
    for file in folder.rglob("*"):
        if file.is_file():
            system.pipe_file(f"{path}/{file.relative_to(folder)}", file.read_bytes())


def test_a_folder(folder: Path) -> None:
    source = opened(folder)
    assert (source.kind, source.location) == ("folder", str(folder))
    assert source.pictures.ids == ["00", "01", "02", "03", "04"]
    assert source.pictures.name == "set"
    assert source.left_out == (
        f"{folder}: 2 entries are not pictures to read (1 .parquet, 1 .txt)",
    )
    assert opened(f"file://{folder}").location == str(folder)


def test_a_relative_path_becomes_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    source = opened("folder")
    assert source.location == str(folder)
    assert source.pictures.source(0) == folder / "00.png"


def test_a_list(folder: Path) -> None:
    (folder.parent / "list").write_text("folder/03.png\nfolder/01.png\n")
    source = opened(folder.parent / "list")
    assert source.kind == "list"
    assert source.pictures.ids == ["folder/03", "folder/01"]
    assert source.pictures.source(1) == folder / "01.png"


@pytest.fixture
def shards(folder: Path) -> Path:
    write_pictures(folder, 24)
    images = scan_images(folder, name="set").images
    pack_shards(images, folder.parent / "shards", PackOptions(megabytes=1))
    return folder.parent / "shards"


def test_shards_come_in_the_order_of_their_bytes(folder: Path, shards: Path) -> None:
    source = opened(shards)
    assert source.kind == "shards"
    assert sorted(source.pictures.ids) == [f"{index:02d}" for index in range(24)]
    for index, picture_id in enumerate(source.pictures.ids):
        assert source.pictures.source(index) == (folder / f"{picture_id}.png").read_bytes()
    offsets = [source.pictures.index.offset[i] for i in range(24)]  # type: ignore[attr-defined]
    assert offsets == sorted(offsets)
    assert source.pictures.name == "set"


def test_broken_shards_are_said(shards: Path) -> None:
    for shard in shards.glob("*.tar"):
        shard.unlink()
    with pytest.raises(UserError, match="none of 1 shards"):
        opened(shards)


def test_shards_behind_a_url(shards: Path, tmp_path: Path) -> None:
    upload(shards, "memory://packed")
    source = open_pictures("memory://packed/", name="set", cache=tmp_path / "cache")
    assert source.kind == "shards"
    assert source.pictures.source(0) == noise(int(source.pictures.id(0)))


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({"image": [noise(0), noise(1)], "id": ["a", "b"]})
    (tmp_path / "data" / ".hidden").mkdir(parents=True)
    parquet.write_table(table, tmp_path / "data" / "x.parquet")
    parquet.write_table(table, tmp_path / "data" / "_temporary.parquet")
    parquet.write_table(table, tmp_path / "data" / ".hidden" / "x.parquet")
    shutil.copy(tmp_path / "data" / "x.parquet", tmp_path / "no_extension")
    upload(tmp_path / "data", "memory://data")
    places = [f"{tmp_path}/{name}" for name in ("data", "data/x.parquet", "no_extension")]
    places += ["memory://data", "memory://data/x.parquet"]
    for place in places:
        source = opened(place)
        assert source.kind == "parquet"
        assert source.pictures.ids == ["a", "b"]
        assert [source.pictures.source(index) for index in (1, 0)] == [noise(1), noise(0)]


def test_pictures_and_lists_behind_a_url(folder: Path) -> None:
    upload(folder, "memory://bucket/photos")
    source = opened("memory://bucket/photos")
    assert (source.kind, source.location) == ("folder", "memory://bucket/photos")
    assert source.pictures.ids == ["00", "01", "02", "03", "04"]
    assert source.pictures.source(2) == noise(2)
    assert source.left_out == ("memory://bucket/photos: 2 files are not pictures to read",)
    fsspec.filesystem("memory").pipe_file("/bucket/list", b"photos/01.png")
    source = opened("memory://bucket/list")
    assert source.pictures.ids == ["photos/01"]
    assert source.pictures.source(0) == noise(1)


def test_what_is_none_of_these(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(noise(0))
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "x.npy", np.zeros(9))
    for name in ("picture.png", "x.npy"):
        with pytest.raises(UserError, match="is neither text nor Parquet; give a folder, a list"):
            opened(tmp_path / name)
    with pytest.raises(UserError, match="empty has no readable picture"):
        opened(tmp_path / "empty")
    with pytest.raises(UserError, match="absent: No such file or directory; give a folder"):
        opened(tmp_path / "absent")
    with pytest.raises(UserError, match="memory://nothing has no picture; give a folder"):
        opened("memory://nothing")
    with pytest.raises(UserError, match="cannot be reached"):
        opened("nosuch://x")


def test_an_index_of_something_else_is_no_shard_set(folder: Path) -> None:
    (folder / "index.json").write_text('{"format": "other"}')
    assert opened(folder).kind == "folder"
