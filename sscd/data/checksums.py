"""Checksums of the files of a data set, in the form that `sha256sum -c` reads."""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

from sscd.data.parallel import parallel_map
from sscd.errors import UserError
from sscd.files import atomic_path

CHECKSUMS_FILE = "checksums.sha256"

_BLOCK = 1 << 20


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_checksums(root: Path, names: Sequence[str], *, workers: int) -> None:
    """Write `checksums.sha256` of some files.

    Args:
        root: Where it is written.
        names: Files, relative to `root`.
        workers: Processes that read.

    Raises:
        UserError: It cannot be written.
    """
    line = functools.partial(_line, root=root)
    lines = list(
        parallel_map(line, names, workers=workers, description="adding checksums", unit="files")
    )
    with atomic_path(root / CHECKSUMS_FILE) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", newline="")


def read_checksums(root: Path) -> dict[str, str]:
    """Name → checksum of a data set that has them; else empty.

    Raises:
        UserError: The file is broken.
    """
    path = root / CHECKSUMS_FILE
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        digest, separator, name = line.partition("  ")
        if len(digest) != 64 or not separator or not name:
            raise UserError(f"{path}, line {number}: no checksum; copy the file again or remove it")
        found[name] = digest
    return found


def _line(name: str, *, root: Path) -> str:
    return f"{file_checksum(root / name)}  {name}\n"
