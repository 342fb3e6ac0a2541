"""What a directory of shards holds: two small files beside the tar archives.

    index.json         counts, what was packed and how, and name, size and SHA-256 of every shard
    members.npz        name, shard, offset, size and content digest of every picture
    shard-00000.tar    the pictures' own files, in the WebDataset layout: plain tar, uncompressed

Unpacking the archives gives the folder back.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.files import atomic_path

INDEX_FILE = "index.json"
MEMBERS_FILE = "members.npz"
FORMAT = "sscd-shards"
VERSION = 2


def content_digest(data: bytes) -> np.uint64:
    """What tells a picture's file from others, whatever its name: 64 bits of its BLAKE2b."""
    return np.uint64(int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little"))


@dataclass(frozen=True)
class Shard:
    """One archive.

    Attributes:
        name: Its file.
        pictures: How many it holds.
        size: Of the file, in bytes.
        sha256: Of the file, hexadecimal.
    """

    name: str
    pictures: int
    size: int
    sha256: str


@dataclass(frozen=True, eq=False)
class ShardIndex:
    """Where every picture lies.

    Attributes:
        shards: The archives.
        images: The n pictures, sorted by name, with the ids that they have in their folder.
        shard: (n,) int32, which archive a picture is in.
        offset: (n,) int64, where its bytes begin there.
        size: (n,) int64, how many they are.
        digests: (n,) uint64, `content_digest` of a picture's file as it was packed from, which is
            not what the shard holds where it was shrunk.
        request: What was packed and how, as JSON values.
    """

    shards: tuple[Shard, ...]
    images: ImageSet
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    digests: NDArray[np.uint64]
    request: dict[str, Any]

    def write(self, directory: Path) -> None:
        """Write both files; `index.json` comes last and says that all shards are there.

        Raises:
            UserError: The directory cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            names=self.images.names,
            keeps_extension=self.images.keeps_extension,
            shard=self.shard,
            offset=self.offset,
            size=self.size,
            digests=self.digests,
        )
        members = buffer.getvalue()
        with atomic_path(directory / MEMBERS_FILE) as temporary:
            temporary.write_bytes(members)
        index = {
            "format": FORMAT,
            "version": VERSION,
            "pictures": len(self.images),
            "request": self.request,
            "members_sha256": hashlib.sha256(members).hexdigest(),
            "shards": [asdict(shard) for shard in self.shards],
        }
        with atomic_path(directory / INDEX_FILE) as temporary:
            temporary.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def parse(cls, index: bytes, members: bytes, *, location: str) -> Self:
        """Read the two files' contents.

        Raises:
            UserError: They are broken, of another version, or do not belong together.
        """
        try:
            table = json.loads(index)
            if table["format"] != FORMAT or table["version"] != VERSION:
                raise ValueError(
                    f"format {table['format']}, version {table['version']}; "
                    f"expected {FORMAT}, {VERSION}"
                )
            if table["members_sha256"] != hashlib.sha256(members).hexdigest():
                raise ValueError(f"{MEMBERS_FILE} is not the one that it was written with")
            shards = tuple(Shard(**shard) for shard in table["shards"])
            with np.load(io.BytesIO(members), allow_pickle=False) as file:
                images = ImageSet(
                    name="training",
                    root=Path(location),
                    names=file["names"],
                    keeps_extension=file["keeps_extension"],
                )
                columns = (file["shard"], file["offset"], file["size"], file["digests"])
            result = cls(shards, images, *columns, request=table["request"])
            result.check()
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(
                f"{location}/{INDEX_FILE} cannot be used ({reason}); "
                f"remove {location} and pack again with `sscd shard`"
            ) from error
        return result

    def check(self) -> None:
        """Find what would read outside the shards.

        Raises:
            ValueError: A shard's name or a picture's place is impossible.
        """
        for shard in self.shards:
            if shard.name != Path(shard.name).name or not shard.name.endswith(".tar"):
                raise ValueError(f"shard {shard.name!r} is no name of a tar file")
        columns = (self.images.keeps_extension, self.shard, self.offset, self.size, self.digests)
        if any(column.shape != self.images.names.shape for column in columns):
            raise ValueError(f"the columns of {MEMBERS_FILE} differ in length")
        if self.digests.dtype != np.uint64:
            raise ValueError(f"the digests of {MEMBERS_FILE} are {self.digests.dtype}, not uint64")
        if len(self.images) and not 0 <= self.shard.min() <= self.shard.max() < len(self.shards):
            raise ValueError("a picture lies in a shard that is not listed")
        ends = np.array([shard.size for shard in self.shards], dtype=np.int64)[self.shard]
        if (
            (self.size < 1).any()
            or (self.offset < 0).any()
            or (self.offset > ends - self.size).any()
        ):
            raise ValueError("a picture lies outside its shard")
