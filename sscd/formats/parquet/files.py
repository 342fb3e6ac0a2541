"""Opening descriptors in Parquet: a file, or a directory of parts that must be whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sscd.data.descriptors import Descriptors, Origin
from sscd.data.pictures.remote import Unreachable, find_files, is_file, join, local_path, openable
from sscd.errors import UserError
from sscd.formats.parquet.rows import ParquetRows, RowGroups
from sscd.formats.parquet.writing import (
    DESCRIPTOR,
    ID,
    MODEL,
    REQUEST_FILE,
    PartInfo,
    decode_info,
    parse_part_name,
)
from sscd.vectors import Stacked

_EXTENSION = ".parquet"
_NAMED = 3
_AGAIN = "the same `sscd describe` goes on"


@dataclass(frozen=True)
class _File:
    place: str
    ids: list[str]
    rows: ParquetRows
    origin: Origin
    info: PartInfo | None


def open_parquet(location: Path | str) -> Descriptors:
    """Open what `sscd describe` wrote, or Parquet with the same columns.

    Ids are read at once, descriptors when they are asked for: a few row groups are in memory.

    Args:
        location: A file, or a directory of parts; path or URL.

    Raises:
        UserError: A part is missing, a file is damaged or has other columns, the files are of
            different models, or an id comes twice.
    """
    places = _places(str(location))
    cache = RowGroups()
    files = [_open(place, cache) for place in places]
    _check_alike(files)
    ids = [item for file in files for item in file.ids]
    if len(set(ids)) < len(ids):
        raise _repeated(files)
    rows = [file.rows for file in files]
    return Descriptors(ids, rows[0] if len(rows) == 1 else Stacked(rows), files[0].origin)


def is_described_url(location: str) -> bool:
    """Whether a URL is a directory that `sscd describe` wrote."""
    try:
        return any(parse_part_name(name) is not None for name in find_files(location))
    except Unreachable:
        return False


def has_descriptors(path: Path) -> bool:
    """Whether a path holds descriptors in Parquet: a file with their column, or a directory.

    A directory that `sscd describe` has begun counts, whatever it lacks.
    """
    if path.is_dir():
        if any(parse_part_name(file.name) for file in path.glob(f"part-*{_EXTENSION}")):
            return True
        files = sorted(path.glob(f"*{_EXTENSION}"))
        return (path / REQUEST_FILE).is_file() or bool(files and _has_column(files[0]))
    return _has_column(path)


def _has_column(path: Path) -> bool:
    from pyarrow.parquet import read_schema

    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1" and DESCRIPTOR in read_schema(path).names
    except Exception:  # damaged files make Arrow raise many things
        return False


def _places(location: str) -> list[str]:
    path = local_path(location)
    try:
        if path is not None:
            if not path.is_dir():
                return [location]
            names = sorted(file.name for file in path.iterdir())
        elif is_file(location):
            return [location]
        else:
            names = find_files(location)
    except (OSError, Unreachable) as error:
        raise UserError(f"{location} cannot be read: {error}") from error
    parts = {name: known for name in names if (known := parse_part_name(name))}
    if parts:
        _check_complete(location, list(parts.values()))
    files = list(parts) or [
        name for name in names if name.endswith(_EXTENSION) and not name.startswith((".", "_"))
    ]
    if not files and REQUEST_FILE in names:
        raise UserError(f"{location} is not finished: no part is there; {_AGAIN}")
    if not files:
        raise UserError(f"{location} holds no Parquet; give what `sscd describe` wrote")
    return [join(location, name) for name in files]


def _check_complete(location: str, parts: list[tuple[int, int]]) -> None:
    counts = sorted({count for _, count in parts})
    if len(counts) > 1:
        raise UserError(
            f"{location} holds parts of {counts[0]} and of {counts[1]}; remove those that do not "
            "belong there"
        )
    there = {number for number, _ in parts}
    if missing := [number for number in range(counts[0]) if number not in there]:
        named = ", ".join(map(str, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
        raise UserError(
            f"{location} is not finished: {len(missing):,} of {counts[0]:,} partitions are missing "
            f"({named}); {_AGAIN}"
        )


def _open(place: str, cache: RowGroups) -> _File:
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(openable(place), page_checksum_verification=True) as file:
            dims = _check_columns(file.schema_arrow)
            info = decode_info(file.schema_arrow.metadata)
            if info is not None and info.dims != dims:
                raise ValueError(f"its metadata says {info.dims} dimensions; it has {dims}")
            ids = file.read(columns=[ID], use_threads=False).column(0)
            if ids.null_count:
                raise ValueError("an id is null")
            groups = range(file.metadata.num_row_groups)
            sizes = tuple(file.metadata.row_group(group).num_rows for group in groups)
            origin = info.origin if info is not None else _origin(file)
            rows = ParquetRows(place, dims, sizes, cache=cache)
            return _File(place, ids.to_pylist(), rows, origin, info)
    except FileNotFoundError as error:
        raise UserError(f"{place}: no such file; give what `sscd describe` wrote") from error
    except UserError:
        raise
    except Exception as error:  # damaged files make Arrow and fsspec raise many things
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{place} cannot be used ({reason}); if `sscd describe` wrote it, remove it, and "
            f"{_AGAIN} with it"
        ) from error


def _check_columns(schema: Any) -> int:
    """D, where the columns are as expected."""
    from pyarrow import types

    for name in (ID, DESCRIPTOR):
        if name not in schema.names:
            raise ValueError(f"it has no column '{name}' but {', '.join(schema.names)}")
    identity, descriptor = schema.field(ID).type, schema.field(DESCRIPTOR).type
    if not (types.is_string(identity) or types.is_large_string(identity)):
        raise ValueError(f"column '{ID}' is {identity}; expected strings")
    if not types.is_fixed_size_list(descriptor) or not types.is_float32(descriptor.value_type):
        raise ValueError(f"column '{DESCRIPTOR}' is {descriptor}; expected lists of D float32")
    return int(descriptor.list_size)


def _origin(file: Any) -> Origin:
    """What a file without metadata, for example one that was merged elsewhere, says in a column."""
    if MODEL not in file.schema_arrow.names:
        return Origin()
    models = file.read(columns=[MODEL], use_threads=False).column(0).unique().to_pylist()
    if len(models) > 1:
        raise ValueError(f"it holds descriptors of {len(models)} models")
    return Origin(model=models[0] or "") if models else Origin()


def _check_alike(files: list[_File]) -> None:
    first = files[0]
    for file in files[1:]:
        if file.origin != first.origin or file.rows.dims != first.rows.dims:
            raise UserError(
                f"{file.place} and {first.place} are of different models or settings "
                f"({_describe(file)} and {_describe(first)}); keep descriptors of one"
            )


def _describe(file: _File) -> str:
    origin = file.origin
    return f"{origin.model or '?'}, {origin.preprocessing or '?'}, {file.rows.dims} dimensions"


def _repeated(files: list[_File]) -> UserError:
    first: dict[str, str] = {}
    for file in files:
        for row, item in enumerate(file.ids):
            place = f"{file.place} row {row}"
            before = first.setdefault(item, place)
            if before != place:
                return UserError(f"id {item} is in {before} and in {place}; keep one")
    raise ValueError("got no repeated id; expected one")
