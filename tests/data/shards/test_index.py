"""An index that is missing, broken or hostile is refused by name."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.data.records import ImageSet
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.index import content_digest
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.writer import pack_shards
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
        lambda table: table.update(version=1),
        lambda table: table.update(version=3),
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
    with pytest.raises(UserError, match=r"index\.json cannot be used.*pack again") as caught:
        open_shards(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("digests", [None, np.zeros(8), np.zeros(7, dtype=np.uint64)])
def test_members_with_wrong_digests_are_refused(
    copy: Path, digests: NDArray[np.generic] | None
) -> None:
    with np.load(copy / "members.npz") as file:
        columns = {name: file[name] for name in file.files if name != "digests"}
    if digests is not None:
        columns["digests"] = digests
    np.savez(copy / "members.npz", **columns)
    checksum = hashlib.sha256((copy / "members.npz").read_bytes()).hexdigest()
    _edit(copy, lambda table: table.update(members_sha256=checksum))
    with pytest.raises(UserError, match=r"digests|differ in length"):
        open_shards(copy)


def test_a_content_digest_is_64_bits_of_blake2b() -> None:
    assert content_digest(b"abc") == 0x5995_D533_D814_BBD8  # b2sum -l 64, bytes reversed
    assert content_digest(b"abc").dtype == np.uint64


def test_files_that_are_no_index_are_refused(copy: Path) -> None:
    for name, data in (("index.json", b"[1"), ("index.json", b"[]"), ("members.npz", b"PK")):
        kept = (copy / name).read_bytes()
        (copy / name).write_bytes(data)
        with pytest.raises(UserError, match=r"index\.json cannot be used"):
            open_shards(copy)
        (copy / name).write_bytes(kept)
    open_shards(copy)
