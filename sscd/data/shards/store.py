"""Bytes of shards: in a directory, or behind a URL and then copied to a cache shard by shard."""

import contextlib
import errno
import hashlib
import os
import re
import time
from pathlib import Path
from typing import Protocol

from sscd.data.shards.index import Shard
from sscd.errors import UserError

_ATTEMPTS = 3
_RETRY_AFTER_S = 300.0
"""A shard that could not be had is asked for again after this time, not for each picture."""


class BrokenShard(Exception):  # noqa: N818 - it is expected, counted and carried on from
    """A shard that cannot be had, or is not as it was written; the message says why."""


class ShardStore(Protocol):
    """Where the bytes of shards come from."""

    def read(self, shard: Shard, *, offset: int, size: int) -> bytes:
        """`size` bytes of a shard from `offset` on.

        Raises:
            BrokenShard: They cannot be had.
        """
        ...


class LocalShards:
    """Shards in a directory.

    Args:
        directory: Where they lie.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self, shard: Shard, *, offset: int, size: int) -> bytes:
        """`size` bytes of a shard from `offset` on.

        Raises:
            BrokenShard: The file is missing, too short or cannot be read.
        """
        try:
            with (self.directory / shard.name).open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "is missing" if missing else f"cannot be read: {error.strerror or error}"
            raise BrokenShard(f"shard {shard.name} {reason}") from error
        if len(data) < size:
            raise BrokenShard(f"shard {shard.name} is truncated")
        return data


class RemoteShards:
    """Shards behind a URL of any file system that fsspec knows.

    A shard is copied to the cache whole when it is first read, by one process of the machine, and
    held against its checksum. Processes may share the cache.

    Args:
        url: Where the shards lie, for example `s3://bucket/shards`.
        cache: A directory for this set of shards alone.
        limit: Bytes that the cache may hold; beyond, the shards that were longest not used are
            removed. None for no limit.
    """

    def __init__(self, url: str, *, cache: Path, limit: int | None = None) -> None:
        self.url = url.rstrip("/")
        self.cache = cache
        self.limit = limit
        self._local = LocalShards(cache)
        self._failed: dict[str, tuple[float, str]] = {}
        self._tidied = False

    def read(self, shard: Shard, *, offset: int, size: int) -> bytes:
        """`size` bytes of a shard from `offset` on, after copying the shard if need be.

        Raises:
            BrokenShard: The shard cannot be had, or is not as it was written.
            UserError: The cache cannot be written, or is full.
        """
        path = self.cache / shard.name
        for _ in range(_ATTEMPTS):
            if not _is_whole(path, shard):
                self._fetch(shard, path)
            # Another process may remove it in this moment, to make room for another shard.
            with contextlib.suppress(BrokenShard):
                data = self._local.read(shard, offset=offset, size=size)
                with contextlib.suppress(OSError):
                    os.utime(path)
                return data
        raise BrokenShard(
            f"shard {shard.name} leaves the cache before it is read; raise data.shard_cache_gb"
        )

    def _fetch(self, shard: Shard, path: Path) -> None:
        from filelock import FileLock

        when, reason = self._failed.get(shard.name, (0.0, ""))
        if reason and time.monotonic() - when < _RETRY_AFTER_S:
            raise BrokenShard(reason)
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            self._tidy()
            with FileLock(path.with_suffix(".lock")):
                if not _is_whole(path, shard):
                    self._download(shard, path)
                    self._make_room(keep=path)
        except BrokenShard as error:
            self._failed[shard.name] = (time.monotonic(), str(error))
            raise
        except OSError as error:
            raise UserError(
                f"cannot write {path}: {error.strerror or error}; "
                "give data.cache a directory that can be written and has space, or limit "
                "data.shard_cache_gb"
            ) from error

    def _download(self, shard: Shard, path: Path) -> None:
        # One name whoever copies, for the lock is held: what a killed copy left is overwritten.
        partial = path.with_suffix(".part")
        try:
            copy_from_url(f"{self.url}/{shard.name}", partial)
            if partial.stat().st_size != shard.size or _sha256(partial) != shard.sha256:
                raise BrokenShard(f"shard {shard.name} is not as it was written (checksum)")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Remove, once, what killed processes left half copied; what is being copied stays."""
        from filelock import FileLock, Timeout

        if self._tidied:
            return
        self._tidied = True
        for partial in self.cache.glob("*.part"):
            lock = re.sub(r"(\.\d+)?\.part$", ".lock", partial.name)
            with contextlib.suppress(Timeout), FileLock(self.cache / lock, timeout=0):
                partial.unlink(missing_ok=True)

    def _make_room(self, *, keep: Path) -> None:
        if self.limit is None:
            return
        held = []
        for path in self.cache.glob("*.tar"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                held.append((status.st_mtime, path, status.st_size))
        total = sum(size for _, _, size in held)
        for _, path, size in sorted(held):
            if total <= self.limit:
                return
            if path != keep:
                path.unlink(missing_ok=True)
                total -= size


def copy_from_url(url: str, path: Path) -> None:
    """Copy a file that fsspec can reach; what passes is tried again.

    Raises:
        BrokenShard: It is missing, or cannot be had.
        UserError: fsspec lacks what reads this kind of URL.
        OSError: The disk is full.
    """
    from fsspec.core import url_to_fs

    try:
        system, remote = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UserError(
            f"{url} cannot be read ({' '.join(str(error).split())}); "
            "s3:// needs sscd[shards], other kinds the package that fsspec names"
        ) from error
    for attempt in range(_ATTEMPTS):
        try:
            system.get_file(remote, str(path))
        except FileNotFoundError as error:
            raise BrokenShard(f"{url} is missing") from error
        except Exception as error:  # each file system has its own exceptions
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            if attempt == _ATTEMPTS - 1:
                reason = " ".join(str(error).split())[:120] or type(error).__name__
                raise BrokenShard(f"{url} cannot be read: {reason}") from error
            time.sleep(2.0**attempt)
        else:
            return


def _is_whole(path: Path, shard: Shard) -> bool:
    try:
        return path.stat().st_size == shard.size
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
