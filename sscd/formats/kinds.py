"""What a file is, by its content; names say nothing."""

from pathlib import Path
from typing import Literal

from sscd.errors import UserError
from sscd.formats.track1.lines import HEADER
from sscd.formats.track2.hdf5 import reading_hdf5
from sscd.formats.track2.layouts import OFFICIAL, OLDER

FileKind = Literal["track2", "vectors", "parquet", "track1"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PARQUET = b"PAR1"
_HEAD = 4096


def kind_of(path: Path) -> FileKind:
    """What a file or a directory of Parquet parts is.

    Returns:
        `track2` for HDF5 with `query` or `reference`, `vectors` for the older HDF5, `parquet`,
        `track1` for text whose first line has a comma.

    Raises:
        UserError: It is none of these, empty, truncated, or cannot be read.
    """
    if path.is_dir():
        if holds_parquet(path):
            return "parquet"
        raise UserError(f"{path}: a directory without Parquet files; give a file of descriptors")
    if not path.is_file():
        raise UserError(f"{path}: no such file; give descriptors or predictions")
    head = _head(path)
    if not head:
        raise UserError(f"{path}: is empty; copy or write it again")
    if _is_hdf5(head):
        return _hdf5_kind(path)
    if head.startswith(_PARQUET):
        with path.open("rb") as stream:
            stream.seek(-len(_PARQUET), 2)
            if stream.tell() < len(_PARQUET) or stream.read() != _PARQUET:
                raise UserError(f"{path}: a truncated Parquet file; copy or write it again")
        return "parquet"
    if _is_csv(head):
        return "track1"
    raise UserError(
        f"{path}: neither descriptors (HDF5 of track 2, Parquet) nor predictions (CSV of {HEADER})"
    )


def holds_parquet(directory: Path) -> bool:
    """Whether there are Parquet files in a directory, not looking below it.

    Raises:
        UserError: It, or a file in it, cannot be read.
    """
    return any(_head(file).startswith(_PARQUET) for file in _files(directory))


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does, whole or truncated.

    Raises:
        UserError: It cannot be read.
    """
    return path.is_file() and _is_hdf5(_head(path))


def _is_hdf5(head: bytes) -> bool:
    # HDF5 may begin after a block of the user's.
    return any(head.startswith(_HDF5, place) for place in (0, 512, 1024, 2048))


def _hdf5_kind(path: Path) -> FileKind:
    with reading_hdf5(path) as handle:
        if any(layout.vectors in handle for layout in OFFICIAL.values()):
            return "track2"
        if OLDER.vectors in handle:
            return "vectors"
        present = ", ".join(sorted(handle)) or "nothing"
    raise UserError(
        f"{path}: holds {present}; expected the datasets query, query_ids, reference and "
        "reference_ids, or vectors and image_names"
    )


def _is_csv(head: bytes) -> bool:
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0]
    return b"," in line and b"\0" not in line


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; check that it may be read"
        ) from error


def _files(directory: Path) -> list[Path]:
    try:
        return [p for p in sorted(directory.iterdir()) if p.is_file() and p.name[0] not in "._"]
    except OSError as error:
        raise UserError(f"cannot list {directory}: {error.strerror}") from error
