"""Descriptors out of any file that holds them, or several as one; vectors stay on disk."""

from collections.abc import Sequence
from pathlib import Path

from sscd.data.descriptors import Descriptors
from sscd.errors import UserError
from sscd.formats.kinds import is_hdf5, kind_of
from sscd.formats.origins import common_origin, origin_of
from sscd.formats.track2.hdf5 import attributes_of, reading_hdf5
from sscd.formats.track2.hdf5_file import text_ids
from sscd.formats.track2.layouts import OFFICIAL, OLDER, Side, open_side
from sscd.vectors import Stacked


def open_descriptors(paths: Sequence[Path], *, side: Side) -> Descriptors:
    """Open descriptors, of one file or of several as one, whose vectors are read when needed.

    Args:
        paths: At least one; each a track-2 file, an older `vectors`/`image_names` file, or Parquet
            (a file or a directory of parts), told by content.
        side: Which side of track-2 files.

    Raises:
        UserError: A file is none of these or is not as it should be, or files differ in dimension
            or origin or share an id; the message names the file, and the row or both files.
    """
    if not paths:
        raise ValueError("got no paths; expected one at least")
    parts = [(path, _open(path, side)) for path in paths]
    if len(parts) == 1:
        return parts[0][1]
    first, described = parts[0]
    width = described.vectors.shape[1]
    for path, other in parts[1:]:
        if other.vectors.shape[1] != width:
            raise UserError(
                f"{first} has {width} dimensions and {path} {other.vectors.shape[1]}; "
                "give files of one descriptor"
            )
    origin = common_origin([(path, part.origin) for path, part in parts])
    _check_apart([(path, part.ids) for path, part in parts])
    ids = [item for _, part in parts for item in part.ids]
    return Descriptors(ids, Stacked([part.vectors for _, part in parts]), origin)


def holds_descriptors(location: str) -> bool:
    """Whether a path holds descriptors, not pictures: HDF5, or Parquet with their column.

    Of URLs those do that `sscd describe` wrote.

    Raises:
        UserError: It cannot be read.
    """
    from sscd.formats.parquet.files import has_descriptors, is_described_url

    if "://" in location:
        return is_described_url(location)
    path = Path(location)
    return is_hdf5(path) or (path.exists() and has_descriptors(path))


def _open(path: Path, side: Side) -> Descriptors:
    kind = kind_of(path)
    if kind == "track1":
        raise UserError(f"{path}: predictions of track 1, or other text; give a descriptor file")
    if kind == "parquet":
        from sscd.formats.parquet.files import open_parquet

        return open_parquet(path)
    layout = OFFICIAL[side] if kind == "track2" else OLDER
    with reading_hdf5(path) as handle:
        rows = open_side(path, handle, layout)
        origin = origin_of(attributes_of(handle))
    return Descriptors(text_ids(rows.ids), rows, origin)


def _check_apart(parts: Sequence[tuple[Path, Sequence[str]]]) -> None:
    """Check that no id is in two files, with a table of all ids only where one is."""
    if len(set().union(*(ids for _, ids in parts))) == sum(len(ids) for _, ids in parts):
        return
    owner: dict[str, Path] = {}
    for path, ids in parts:
        for item in ids:
            if item in owner:
                raise UserError(f"id {item} is in {owner[item]} and in {path}; give each row once")
            owner[item] = path
