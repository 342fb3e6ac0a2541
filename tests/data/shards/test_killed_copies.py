"""What a killed process leaves half copied in the cache neither misleads nor stays."""

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sscd.data.shards.pictures import ShardedPictures
from tests.data.shards.urls import COUNT, cached, open_url, original, pack_bytes


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return pack_bytes(tmp_path)


def test_half_a_shard_that_a_kill_left_is_overwritten(packed: Path) -> None:
    pictures = open_url(packed)
    pictures.read(0)
    [path] = cached(packed)
    path.unlink()
    partial = path.with_suffix(".part")
    partial.write_bytes(b"x" * 10_000_000)  # longer than the shard
    assert pictures.read(0) == original(packed, 0)
    assert not list(path.parent.glob("*.part"))


def _die_amid_a_copy(pictures: ShardedPictures) -> None:
    from fsspec.implementations.local import LocalFileSystem

    def dying(self: Any, remote: str, local: str, **options: Any) -> None:
        Path(local).write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    LocalFileSystem.get_file = dying
    pictures.read(0)


def test_killed_copies_leave_one_file_that_the_next_removes(packed: Path) -> None:
    pictures = open_url(packed)
    cache = packed.parent / "cache"
    for _ in range(2):
        killed = multiprocessing.get_context("spawn").Process(
            target=_die_amid_a_copy, args=(pictures,)
        )
        killed.start()
        killed.join()
        assert killed.exitcode == -signal.SIGKILL
        assert len(list(cache.rglob("*.part"))) == 1
    other = next(i for i in range(COUNT) if pictures.shards[i] != pictures.shards[0])
    assert open_url(packed).read(other) == original(packed, other)
    assert list(cache.rglob("*.part")) == []


def test_what_others_are_copying_stays(packed: Path) -> None:
    from filelock import FileLock

    open_url(packed).read(0)
    directory = cached(packed)[0].parent
    for name in ("shard-00007.part", "shard-00008.part", "shard-00009.4711.part"):
        (directory / name).write_bytes(b"half")
    other = np.flatnonzero(open_url(packed).shards != open_url(packed).shards[0])[0]
    with FileLock(directory / "shard-00007.lock"):
        assert open_url(packed).read(int(other)) == original(packed, int(other))
    assert [path.name for path in directory.glob("*.part")] == ["shard-00007.part"]
