"""All that is wrong with a descriptor file."""

from collections.abc import Generator, Iterator
from pathlib import Path

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.formats.descriptor_files import open_descriptors
from sscd.formats.id_lists import IdList, differing_ids, read_id_list
from sscd.formats.ids import id_bytes, pack_ids
from sscd.formats.kinds import kind_of
from sscd.formats.origins import origin_of
from sscd.formats.problems import Finding, Problem, bounded
from sscd.formats.track2.hdf5 import Hdf5Rows, attributes_of, reading_hdf5
from sscd.formats.track2.layouts import OFFICIAL, OLDER, Side, find_side, unequal_widths, wrong_rows
from sscd.vectors import blocks

Lists = dict[Side, IdList]
"""The list file of a side, where there is one."""


def problems_of_track2(
    path: Path, query_list: Path | None = None, reference_list: Path | None = None
) -> Iterator[str]:
    """Yield a line for each problem of an HDF5 file of either layout, in bounded memory.

    Args:
        path: The file.
        query_list: A list file that holds the ids of all queries.
        reference_list: The same of all references.

    Raises:
        UserError: The path is no HDF5 file, or a list file cannot be read.
    """
    lists = read_lists(query_list, reference_list)
    official = kind_of(path) == "track2"
    yield from bounded((track2_finding if official else older_finding)(path, lists))


def read_lists(query_list: Path | None, reference_list: Path | None) -> Lists:
    """Read the list files that are given.

    Raises:
        UserError: One cannot be read.
    """
    paths: dict[Side, Path | None] = {"query": query_list, "reference": reference_list}
    return {side: read_id_list(path) for side, path in paths.items() if path is not None}


def track2_finding(path: Path, lists: Lists) -> Finding:
    """Check a file in the official layout.

    Raises:
        UserError: It cannot be read to its end.
    """
    sides: dict[Side, Hdf5Rows] = {}
    with reading_hdf5(path) as handle:
        for side, layout in OFFICIAL.items():
            rows = yield from find_side(path, handle, layout)
            if rows is not None:
                sides[side] = rows
        found = [_made_by(origin_of(attributes_of(handle)))]
    if len(sides) == len(OFFICIAL):
        yield from unequal_widths(path, sides["query"].shape[1], sides["reference"].shape[1])
    for side, rows in sides.items():
        found.append((yield from _rows_finding(path, rows, OFFICIAL[side].ids, lists.get(side))))
    return tuple(found)


def older_finding(path: Path, lists: Lists) -> Finding:
    """Check a file in the older layout.

    Raises:
        UserError: It cannot be read to its end, or there is a list of each side.
    """
    with reading_hdf5(path) as handle:
        rows = yield from find_side(path, handle, OLDER)
        found = [_made_by(origin_of(attributes_of(handle)))]
    if rows is not None:
        found.append((yield from _rows_finding(path, rows, OLDER.ids, only_list(path, lists))))
    return tuple(found)


def parquet_finding(path: Path, lists: Lists) -> Finding:
    """Check Parquet of descriptors.

    Raises:
        UserError: It cannot be read to its end, or there is a list of each side.
    """
    described = open_descriptors([path], side="reference")
    ids = pack_ids(path, "id", id_bytes(described.ids))
    yield from differing_ids(path, "id", ids.tolist(), only_list(path, lists))
    for _ in blocks(described.vectors):
        pass  # reading checks them
    line = f"{len(ids):,} rows of {described.vectors.shape[1]} dimensions"
    return _made_by(described.origin), line


def only_list(path: Path, lists: Lists) -> IdList | None:
    """The list for a file of one side.

    Raises:
        UserError: There are two.
    """
    if len(lists) > 1:
        raise UserError(f"{path} has one side; give --query_list or --reference_list, not both")
    return next(iter(lists.values()), None)


def _rows_finding(
    path: Path, rows: Hdf5Rows, name: str, listed: IdList | None
) -> Generator[Problem, None, str]:
    yield from differing_ids(path, name, rows.ids.tolist(), listed)
    with rows:
        yield from wrong_rows(rows)
    return f"{rows.name}: {len(rows):,} rows of {rows.shape[1]} dimensions"


def _made_by(origin: Origin) -> str:
    return f"model {origin.model or 'unknown'}, pictures {origin.preprocessing or 'unknown'}"
