"""Shards behind URLs: copied once, checked, and removed where there is no room."""

import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sscd.data.decode import UnreadableImage
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.store import RemoteShards
from sscd.errors import UserError
from tests.data.shards.urls import COUNT, cached, open_url, original, pack_bytes


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return pack_bytes(tmp_path)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sscd.data.shards.store.time.sleep", lambda _: None)


def test_a_shard_is_copied_when_it_is_read_and_once(packed: Path) -> None:
    pictures = open_url(packed)
    assert cached(packed) == []
    assert pictures.read(3) == original(packed, 3)
    [path] = cached(packed)
    assert path.name == pictures.index.shards[int(pictures.shards[3])].name
    for shard in packed.glob("*.tar"):
        shard.unlink()
    assert pictures.read(3) == original(packed, 3)
    assert not list(path.parent.glob("*.part"))


def test_all_pictures_come_back(packed: Path) -> None:
    pictures = open_url(packed)
    assert [pictures.read(i) for i in range(COUNT)] == [original(packed, i) for i in range(COUNT)]
    assert len(cached(packed)) == len(pictures.index.shards)


def test_a_limited_cache_drops_what_was_longest_not_used(packed: Path) -> None:
    sizes = sorted(path.stat().st_size for path in packed.glob("*.tar"))
    pictures = open_url(packed, limit=2 * sizes[-1])
    order = np.argsort(pictures.shards, kind="stable").tolist()
    for index in order:
        assert pictures.read(index) == original(packed, index)
        assert 1 <= len(cached(packed)) <= 3
        assert sum(path.stat().st_size for path in cached(packed)) <= 2 * sizes[-1]
    assert pictures.index.shards[-1].name in {path.name for path in cached(packed)}
    first = pictures.index.shards[0].name
    assert first not in {path.name for path in cached(packed)}


def test_the_shard_in_use_stays(packed: Path) -> None:
    pictures = open_url(packed, limit=1)
    for index in (0, 1, 2, 0):
        assert pictures.read(index) == original(packed, index)
        assert len(cached(packed)) == 1


def test_a_cache_that_is_too_small_names_its_key(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = open_url(packed, limit=1)
    monkeypatch.setattr(RemoteShards, "_make_room", lambda _, *, keep: keep.unlink())
    with pytest.raises(UnreadableImage, match=r"raise data\.shard_cache_gb"):
        pictures.read(0)


def test_another_packing_has_another_cache(packed: Path) -> None:
    open_url(packed).read(0)
    table = packed / "index.json"
    table.write_text(table.read_text().replace("\n", "\n\n"))
    open_url(packed).read(0)
    assert len({path.parent for path in cached(packed)}) == 2


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_broken_shard_is_said_and_not_asked_for_again(
    packed: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = open_url(packed)
    shard = packed / "shard-00001.tar"
    data = shard.read_bytes()
    if harm == "flip":
        shard.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif harm == "cut":
        shard.write_bytes(data[: len(data) // 2])
    else:
        shard.unlink()
    lost = np.flatnonzero(pictures.shards == 1).tolist()
    reason = "is missing" if harm == "remove" else "is not as it was written"
    with pytest.raises(UnreadableImage, match=reason):
        pictures.read(lost[0])
    shard.write_bytes(data)
    with pytest.raises(UnreadableImage, match=reason):
        pictures.read(lost[1])
    now = time.monotonic()
    monkeypatch.setattr("sscd.data.shards.store.time.monotonic", lambda: now + 1000.0)
    assert pictures.read(lost[0]) == original(packed, lost[0])


def test_what_passes_is_tried_again(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.local import LocalFileSystem

    pictures = open_url(packed)
    tries: list[str] = []
    get_file = LocalFileSystem.get_file

    def failing(self: Any, remote: str, local: str, **options: Any) -> Any:
        tries.append(remote)
        if len(tries) < 3:
            raise ConnectionError("slow down")
        return get_file(self, remote, local, **options)

    monkeypatch.setattr(LocalFileSystem, "get_file", failing)
    assert pictures.read(0) == original(packed, 0)
    assert len(tries) == 3


def test_a_url_without_shards_is_an_error(packed: Path) -> None:
    with pytest.raises(UserError, match=r"index\.json is missing; give a URL"):
        ShardedPictures.open(f"file://{packed.parent}/none", cache=packed.parent / "cache")
    with pytest.raises(UserError, match="cannot be read"):
        ShardedPictures.open("nosuch://bucket/shards", cache=packed.parent / "cache")


def test_a_cache_that_cannot_be_written_is_an_error(packed: Path) -> None:
    (packed.parent / "cache").write_text("a file")
    with pytest.raises(UserError, match="cannot write"):
        open_url(packed).read(0)


def test_it_can_be_sent_to_a_worker(packed: Path) -> None:
    pictures = pickle.loads(pickle.dumps(open_url(packed)))
    assert pictures.read(5) == original(packed, 5)


class Bytes(torch.utils.data.Dataset[tuple[int, bytes]]):
    def __init__(self, pictures: ShardedPictures) -> None:
        self.pictures = pictures

    def __getitem__(self, index: int) -> tuple[int, bytes]:
        return index, self.pictures.read(index)


def check_through_workers(pictures: ShardedPictures, packed: Path) -> None:
    order = np.random.default_rng(0).permutation(COUNT).tolist()
    loader: Any = torch.utils.data.DataLoader(
        Bytes(pictures), sampler=order, batch_size=4, num_workers=2, collate_fn=list
    )
    seen = [item for batch in loader for item in batch]
    assert [index for index, _ in seen] == order
    assert all(data == original(packed, index) for index, data in seen)


def test_workers_share_a_tight_cache(packed: Path) -> None:
    check_through_workers(open_url(packed, limit=2_500_000), packed)


@pytest.fixture
def bucket(packed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The shards in an S3 server of this machine."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    import fsspec

    running = server.ThreadedMotoServer(port=0)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = fsspec.filesystem("s3", skip_instance_cache=True)
    system.mkdir("bucket")
    for path in packed.iterdir():
        system.put_file(str(path), f"bucket/shards/{path.name}")
    yield "s3://bucket/shards"
    running.stop()


@pytest.mark.slow
def test_an_object_store(packed: Path, bucket: str) -> None:
    pictures = ShardedPictures.open(bucket, cache=packed.parent / "cache")
    assert pictures.read(3) == original(packed, 3)
    check_through_workers(pictures, packed)
    with pytest.raises(UserError, match="is missing"):
        ShardedPictures.open("s3://bucket/none", cache=packed.parent / "cache")
