"""A directory on a disk or in an object store, whose files are there whole or not at all."""

import contextlib
import time
from pathlib import Path
from typing import Any, Protocol

from sscd.data.pictures.remote import Unreachable, file_system, is_file, local_path, retried
from sscd.errors import UserError
from sscd.files import atomic_path, check_writable_directory

_ABANDONED_S = 3600


class Place(Protocol):
    """Where descriptors are written."""

    @property
    def location(self) -> str:
        """Absolute path or URL."""
        ...

    def names(self) -> set[str]:
        """The files that are there, without those that are being written."""
        ...

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        ...

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a file, in place of one of that name."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def tidy(self) -> None:
        """Remove what killed processes left half written."""
        ...


def open_place(location: str) -> Place:
    """The directory of a path or URL, made where it is missing.

    Raises:
        UserError: It cannot be made or reached.
    """
    path = local_path(location)
    return _Directory(path.absolute()) if path is not None else _ObjectStore(location.rstrip("/"))


class _Directory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.location = str(path)
        if path.exists() and not path.is_dir():
            raise UserError(f"{path} is a file; give a directory")
        if not path.is_dir():
            check_writable_directory(path)

    def names(self) -> set[str]:
        return {entry.name for entry in self.path.iterdir() if not entry.name.startswith(".")}

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        with atomic_path(self.path / name) as temporary:
            temporary.write_bytes(data)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def tidy(self) -> None:
        for left in self.path.glob(".*.part"):
            with contextlib.suppress(OSError):
                if (
                    time.time() - left.stat().st_mtime > _ABANDONED_S
                ):  # or another process writes it
                    left.unlink(missing_ok=True)


class _ObjectStore:
    """Behind a URL, where writing an object puts all of it or nothing."""

    def __init__(self, url: str) -> None:
        self.location = url
        file_system(url)

    def names(self) -> set[str]:
        def found() -> list[Any]:
            system, path = file_system(self.location)
            system.invalidate_cache()
            return list(system.ls(path, detail=False))

        try:
            return {str(name).rpartition("/")[2] for name in retried(found)}
        except Unreachable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return set()
            raise UserError(f"{self.location} cannot be listed: {error}") from error

    def has(self, name: str) -> bool:
        try:
            return is_file(f"{self.location}/{name}")
        except Unreachable as error:
            raise UserError(f"{self.location}/{name} cannot be reached: {error}") from error

    def read(self, name: str) -> bytes | None:
        system, path = file_system(f"{self.location}/{name}")
        try:
            return bytes(retried(lambda: system.cat_file(path)))
        except Unreachable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise UserError(f"{self.location}/{name} cannot be read: {error}") from error

    def write(self, name: str, data: bytes) -> None:
        system, path = file_system(f"{self.location}/{name}")
        try:
            retried(lambda: system.pipe_file(path, data))
        except Unreachable as error:
            raise UserError(f"cannot write {self.location}/{name}: {error}") from error

    def remove(self, name: str) -> None:
        system, path = file_system(f"{self.location}/{name}")
        if not self.has(name):
            return
        try:
            retried(lambda: system.rm_file(path))
        except Unreachable as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise UserError(f"cannot remove {self.location}/{name}: {error}") from error

    def tidy(self) -> None:
        """Nothing: what was not put whole is not there."""
