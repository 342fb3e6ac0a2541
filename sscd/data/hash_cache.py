"""Perceptual hashes on disk, so that a folder is decoded once."""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.data.records import ImageSet
from sscd.errors import UserError
from sscd.files import atomic_path, check_writable_directory
from sscd.terminal import tracked

# Raise it when decoding or hashing changes: caches are named after it.
HASH_VERSION = 3


@dataclass(frozen=True)
class Stamp:
    """What says that a file is still the one that was hashed."""

    name: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class HashCache:
    """Hashes by stamp, in one file a picture directory.

    Attributes:
        path: The file; None for a cache that is not kept.
        entries: By stamp the hash, that of the mirror image, whether the picture is blank, and a
            reason (empty where it could be read).
    """

    path: Path | None
    entries: dict[Stamp, tuple[int, int, bool, str]]

    @classmethod
    def empty(cls) -> Self:
        """A cache that knows nothing and is not kept."""
        return cls(path=None, entries={})

    @classmethod
    def open(cls, directory: Path, *, root: Path) -> Self:
        """Read what is remembered of `root`; a missing or broken file is an empty cache."""
        digest = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=8).hexdigest()
        path = directory / f"perceptual_hashes_v{HASH_VERSION}_{digest}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                columns = [file[key].tolist() for key in ("names", "sizes", "mtimes")]
                known = [file[key].tolist() for key in ("hashes", "mirrored", "blank", "reasons")]
                stamps = [Stamp(*row) for row in zip(*columns, strict=True)]
                entries = dict(zip(stamps, zip(*known, strict=True), strict=True))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            entries = {}
        return cls(path=path, entries=entries)

    def look_up(
        self, stamps: list[Stamp]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.bool_], list[str | None]]:
        """The (n,) hashes, those mirrored, blanks, and reasons (None where nothing is known)."""
        found = [self.entries.get(stamp, (0, 0, False, None)) for stamp in stamps]
        hashes = np.array([entry[0] for entry in found], dtype=np.uint64)
        mirrored = np.array([entry[1] for entry in found], dtype=np.uint64)
        blank = np.array([entry[2] for entry in found], dtype=bool)
        return hashes, mirrored, blank, [entry[3] for entry in found]

    def save(
        self,
        stamps: list[Stamp],
        *,
        hashes: NDArray[np.uint64],
        mirrored: NDArray[np.uint64],
        blank: NDArray[np.bool_],
        reasons: list[str | None],
    ) -> None:
        """Remember these pictures, and no others, as far as they could be read.

        A failure may pass (a disk that was away, too many open files), so it is tried again.

        Raises:
            UserError: The file cannot be written.
        """
        if self.path is None:
            return
        try:
            check_writable_directory(self.path.parent)
        except UserError as error:
            raise UserError(
                f"{str(error).partition(';')[0]}, where perceptual hashes are kept; give a "
                "directory by --data.cache DIR (in make-disc --cache DIR), or XDG_CACHE_HOME"
            ) from error
        kept = [i for i, reason in enumerate(reasons) if reason == ""]
        with atomic_path(self.path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                names=np.array([stamps[i].name for i in kept], dtype=np.bytes_),
                sizes=np.array([stamps[i].size for i in kept], dtype=np.int64),
                mtimes=np.array([stamps[i].mtime_ns for i in kept], dtype=np.int64),
                hashes=hashes[kept],
                mirrored=mirrored[kept],
                blank=blank[kept],
                reasons=np.array([reasons[i] for i in kept], dtype=np.str_),
            )


def stamp_files(images: ImageSet) -> list[Stamp]:
    """The stamp of every file; a file that is gone has size -1."""
    names = tracked(images.names.tolist(), f"looking at {images.name}", unit="files")
    return [_stamp(images.path(i), name) for i, name in enumerate(names)]


def _stamp(path: Path, name: bytes) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return Stamp(name=name, size=-1, mtime_ns=-1)
    return Stamp(name=name, size=status.st_size, mtime_ns=status.st_mtime_ns)
