"""An index that is missing, broken or hostile is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sscd.data.records import ImageSet
from sscd.data.shard_writer import PackOptions, pack_shards
from sscd.data.shards import ShardedPictures
from sscd.errors import UserError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    root, names = tmp_path / "folder", [f"{index}.jpg" for index in range(8)]
    root.mkdir()
    for name in names:
        (root / name).write_bytes(name.encode() * 50_000)
    images = ImageSet.from_names("training", root=root, names=names)
    pack_shards(images, tmp_path / "shards", PackOptions(megabytes=1))
    return tmp_path / "shards"


def open_shards(directory: Path) -> ShardedPictures:
    return ShardedPictures.open(str(directory), cache=directory / "no cache")


def test_a_directory_without_an_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"index\.json.*`sscd shard` finished"):
        open_shards(tmp_path)


def _edit(copy: Path, change: Callable[[dict[str, object]], object]) -> None:
    table = json.loads((copy / "index.json").read_text())
    change(table)
    (copy / "index.json").write_text(json.dumps(table))


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.update(version=2),
        lambda table: table.update(format="other"),
        lambda table: table.update(members_sha256="0" * 64),
        lambda table: table["shards"].pop(),
        lambda table: table["shards"][0].update(name="../shard-00000.tar"),
        lambda table: table["shards"][0].update(size=100),
        lambda table: table["shards"][0].update(color="red"),
        lambda table: table.update(shards=3),
        lambda table: table.pop("request"),
    ],
)
def test_a_wrong_index_is_refused(copy: Path, change: Callable[..., object]) -> None:
    _edit(copy, change)
    with pytest.raises(UserError, match=r"index\.json cannot be used"):
        open_shards(copy)


def test_files_that_are_no_index_are_refused(copy: Path) -> None:
    for name, data in (("index.json", b"[1"), ("index.json", b"[]"), ("members.npz", b"PK")):
        kept = (copy / name).read_bytes()
        (copy / name).write_bytes(data)
        with pytest.raises(UserError, match=r"index\.json cannot be used"):
            open_shards(copy)
        (copy / name).write_bytes(kept)
    open_shards(copy)
