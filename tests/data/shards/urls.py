"""Shards behind a `file://` URL, whose cache lies beside them."""

from pathlib import Path

import numpy as np

from sscd.data.records import ImageSet
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.writer import pack_shards

COUNT = 24


def pack_bytes(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    root.mkdir()
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        (root / f"{index:02d}.jpg").write_bytes(rng.bytes(240_000))
    names = [f"{index:02d}.jpg" for index in range(COUNT)]
    images = ImageSet.from_names("training", root=root, names=names)
    pack_shards(images, tmp_path / "shards", PackOptions(megabytes=1))
    return tmp_path / "shards"


def original(packed: Path, index: int) -> bytes:
    return (packed.parent / "folder" / f"{index:02d}.jpg").read_bytes()


def open_url(packed: Path, *, limit: int | None = None) -> ShardedPictures:
    return ShardedPictures.open(f"file://{packed}", cache=packed.parent / "cache", limit=limit)


def cached(packed: Path) -> list[Path]:
    return sorted((packed.parent / "cache").rglob("*.tar"))
