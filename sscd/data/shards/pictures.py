"""Training pictures in shards: read one by one in any order, from a disk or an object store."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.data.decode import UnreadableImage
from sscd.data.records import ImageSet
from sscd.data.shards.index import INDEX_FILE, MEMBERS_FILE, Shard, ShardIndex
from sscd.data.shards.store import (
    BrokenShard,
    LocalShards,
    RemoteShards,
    ShardStore,
    copy_from_url,
)
from sscd.errors import UserError


class ShardedPictures:
    """Pictures that `sscd shard` has packed, in the order and with the ids of their folder.

    It takes the place of an `ImageSet` in `TrainingViews`, whose views are then the same as from
    the folder's files.

    Args:
        index: What the shards hold.
        store: Where their bytes come from.
        location: Directory or URL, for messages.
        broken: Lines on the shards that were found missing or of another size.
    """

    def __init__(
        self,
        index: ShardIndex,
        store: ShardStore,
        *,
        location: str,
        broken: tuple[str, ...] = (),
    ) -> None:
        self.index = index
        self.store = store
        self.location = location
        self.broken = broken

    @classmethod
    def open(cls, location: str, *, cache: Path, limit: int | None = None) -> Self:
        """Open a directory or a URL of shards.

        Args:
            location: What `sscd shard` wrote: a directory, or a URL that fsspec can read
                (`s3://bucket/prefix`, `file:///…`).
            cache: Where shards behind a URL are kept.
            limit: Bytes of this set that the cache may hold; None for no limit.

        Raises:
            UserError: There is no index, it is broken, or no shard at all is there.
        """
        if "://" in location:
            return cls._open_url(location.rstrip("/"), cache=cache, limit=limit)
        directory = Path(location)
        try:
            files = [(directory / name).read_bytes() for name in (INDEX_FILE, MEMBERS_FILE)]
        except OSError as error:
            raise UserError(
                f"{error.filename}: {error.strerror}; give a directory that `sscd shard` finished"
            ) from error
        index = ShardIndex.parse(files[0], files[1], location=location)
        broken = _broken(index, directory)
        if len(broken) == len(index.shards):
            raise UserError(
                f"{directory}: none of {len(index.shards)} shards is there as it was written; "
                "copy them again"
            )
        return cls(index, LocalShards(directory), location=location, broken=broken)

    @classmethod
    def _open_url(cls, url: str, *, cache: Path, limit: int | None) -> Self:
        try:
            with tempfile.TemporaryDirectory() as scratch:
                for name in (INDEX_FILE, MEMBERS_FILE):
                    copy_from_url(f"{url}/{name}", Path(scratch, name))
                files = [Path(scratch, name).read_bytes() for name in (INDEX_FILE, MEMBERS_FILE)]
        except BrokenShard as error:
            raise UserError(f"{error}; give a URL where `sscd shard`'s output lies") from error
        index = ShardIndex.parse(files[0], files[1], location=url)
        key = hashlib.blake2b(url.encode() + files[0], digest_size=8).hexdigest()
        store = RemoteShards(url, cache=cache / "shards" / key, limit=limit)
        return cls(index, store, location=url)

    def __len__(self) -> int:
        return len(self.index.images)

    @property
    def name(self) -> str:
        """What the set is called in messages."""
        return self.index.images.name

    @property
    def images(self) -> ImageSet:
        """The names of the pictures, whose files may be gone."""
        return self.index.images

    @property
    def names(self) -> NDArray[np.bytes_]:
        """(n,) the paths of the pictures in their folder, as bytes."""
        return self.images.names

    @property
    def ids(self) -> list[str]:
        """The ids of all pictures, in order."""
        return self.images.ids

    @property
    def shards(self) -> NDArray[np.int32]:
        """(n,) which shard a picture is in."""
        return self.index.shard

    @property
    def digests(self) -> NDArray[np.uint64]:
        """(n,) `content_digest` of the files that the pictures were packed from."""
        return self.index.digests

    def subset(self, indices: Sequence[int] | NDArray[np.integer], *, name: str = "") -> Self:
        """The pictures at `indices`, in that order, with the ids they have here."""
        chosen = np.asarray(indices, dtype=np.int64)
        index = replace(
            self.index,
            images=self.images.subset(chosen, name=name),
            shard=self.index.shard[chosen],
            offset=self.index.offset[chosen],
            size=self.index.size[chosen],
            digests=self.index.digests[chosen],
        )
        return type(self)(index, self.store, location=self.location, broken=self.broken)

    def id(self, index: int) -> str:
        """The unique ASCII id of picture `index`, the one that it has in its folder."""
        return self.images.id(index)

    def path(self, index: int) -> Path:
        """Where picture `index` lies, for messages: the shard, and the name in it."""
        name = os.fsdecode(bytes(self.images.names[index]))
        return self.images.root / self._shard(index).name / name

    def read(self, index: int) -> bytes:
        """The file of picture `index`.

        Raises:
            UnreadableImage: Its shard is missing, truncated, or not as it was written.
            UserError: The cache cannot be written, or is full.
        """
        offset, size = int(self.index.offset[index]), int(self.index.size[index])
        try:
            return self.store.read(self._shard(index), offset=offset, size=size)
        except BrokenShard as error:
            raise UnreadableImage(self.path(index), str(error)) from error

    def source(self, index: int) -> bytes:
        """What picture `index` is decoded from: its bytes, as `read` gives them."""
        return self.read(index)

    def _shard(self, index: int) -> Shard:
        return self.index.shards[int(self.index.shard[index])]


def _broken(index: ShardIndex, directory: Path) -> tuple[str, ...]:
    """One line for each shard that is not there whole, as far as its size tells."""
    lines = []
    for shard in index.shards:
        path = directory / shard.name
        size = path.stat().st_size if path.is_file() else None
        if size != shard.size:
            what = "is missing" if size is None else f"has {size:,} of {shard.size:,} bytes"
            lines.append(f"{path} {what}: {shard.pictures} pictures")
    return tuple(lines)
