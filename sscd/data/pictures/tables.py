"""Which pictures Parquet files hold: bytes in a column `image`, or places in a column `path`."""

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sscd.data.pictures.parquet import ParquetPictures
from sscd.data.pictures.path_list import ListedPictures, check_unique
from sscd.data.pictures.remote import join
from sscd.data.pictures.table_rows import RowCursor, open_table
from sscd.data.records import ImageSet
from sscd.errors import UserError

IMAGE, PATH, ID = "image", "path", "id"


@dataclass(frozen=True)
class _Table:
    """What a file says of its pictures, but for their bytes.

    Attributes:
        rows: How many there are.
        has_images: Whether it has a column of bytes.
        ids: The ids, where it has such a column.
        paths: Where the pictures lie, or lay; empty where it does not say.
    """

    rows: int
    has_images: bool
    ids: list[str | None] | None
    paths: list[str | None]


def open_picture_parquet(
    files: Sequence[str], *, base: str, name: str, location: str
) -> ParquetPictures | ListedPictures:
    """Open pictures in Parquet files.

    The column `image` holds bytes, or structs of `bytes` and `path` as Hugging Face writes them;
    without it the column `path` says where pictures lie, relative to its file.

    An id is what the column `id` says; without one it is the picture's path without the extension,
    from the column `path` or beside the bytes; where a path is missing it is the file's path
    without the extension, and the row, as in `train/17`. They are percent-encoded as in
    `ImageSet.id`.

    Args:
        files: Paths relative to `base`.
        base: The directory or URL that they lie under.
        name: What the set is called in messages.
        location: What the source is called in messages.

    Raises:
        UserError: A file is damaged or lacks columns, there is no row, or an id is missing or comes
            twice.
    """
    tables = [_read(join(base, file)) for file in files]
    if len({(table.has_images, table.ids is None) for table in tables}) > 1:
        raise UserError(f"{location}: its files differ in whether they have {IMAGE} and {ID}")
    counts = [table.rows for table in tables]
    if not sum(counts):
        raise UserError(f"{location} has no row; give Parquet with a picture a row")
    file = np.repeat(np.arange(len(files), dtype=np.int32), counts)
    row = np.concatenate([np.arange(count, dtype=np.int64) for count in counts])

    def where(index: int) -> str:
        return f"{files[file[index]]} row {row[index]}"

    paths = [path for table in tables for path in table.paths]
    ids, what, whole = [item for table in tables for item in table.ids or ()], "id", True
    if tables[0].ids is None and paths and (all(paths) or not tables[0].has_images):
        ids, what, whole = paths, "path", False
    elif tables[0].ids is None:
        stems = [posixpath.splitext(name)[0] for name in files]
        ids = [f"{stems[f]}/{r}" for f, r in zip(file.tolist(), row.tolist(), strict=True)]
    names = [os.fsencode(item or "") for item in ids]
    for index, item in enumerate(names):
        if not item or b"\0" in item:
            raise UserError(f"{location}: {where(index)} has no usable {what}; give it one")
    check_unique(names, where=where, location=location, what=what)
    images = ImageSet.from_names(name, root=Path(base), names=names)
    if whole:
        images = replace(images, keeps_extension=np.ones(len(images), dtype=np.bool_))
    if tables[0].has_images:
        cursors = tuple(RowCursor(join(base, file), IMAGE) for file in files)
        return ParquetPictures(images, cursors, file=file, row=row)
    folders = [posixpath.dirname(name) for name in files]
    places = [
        os.fsencode(join(folders[f], path or ""))
        for f, path in zip(file.tolist(), paths, strict=True)
    ]
    return ListedPictures(images, base, np.array(places, dtype=np.bytes_))


def _read(place: str) -> _Table:
    try:
        with open_table(place) as file:
            schema = file.schema_arrow
            if IMAGE not in schema.names and PATH not in schema.names:
                raise UserError(
                    f"{place} has the columns {', '.join(schema.names)}; expected pictures in "
                    f"'{IMAGE}' or their places in '{PATH}'"
                )
            has_images = IMAGE in schema.names
            inner = _check_image(schema.field(IMAGE).type, place) if has_images else ""
            path = PATH if PATH in schema.names else inner
            return _Table(
                rows=file.metadata.num_rows,
                has_images=has_images,
                ids=_strings(file, ID) if ID in schema.names else None,
                paths=_strings(file, path) if path else [],
            )
    except UserError:
        raise
    except Exception as error:  # damaged files make Arrow and fsspec raise many things
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{place} cannot be read as Parquet ({reason}); write it again") from error


def _check_image(kind: Any, place: str) -> str:
    """The name of the paths beside the bytes; empty where there are none."""
    from pyarrow import types

    fields = {field.name: field.type for field in kind} if types.is_struct(kind) else {"": kind}
    data = fields.get("bytes", fields.get(""))
    if data is None or not (types.is_binary(data) or types.is_large_binary(data)):
        raise UserError(
            f"{place}: column '{IMAGE}' is {kind}; expected bytes, or structs of bytes and path"
        )
    return f"{IMAGE}.path" if "path" in fields else ""


def _strings(file: Any, column: str) -> list[str | None]:
    import pyarrow

    values = file.read(columns=[column], use_threads=False).column(0)
    if pyarrow.types.is_struct(values.type):
        values = values.combine_chunks().field(0)
    strings: list[str | None] = values.cast(pyarrow.string()).to_pylist()
    return strings
