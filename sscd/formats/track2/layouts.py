"""The sides of descriptor files in both layouts, and what can be wrong with one.

The official file of track 2 has four datasets: `query` and `reference`, float32 (n, at most 256),
and `query_ids` and `reference_ids`, ASCII bytes; each pair sorted by id (DISC21 paper, section
6.2). The older layout has one side a file: `vectors` and `image_names`, of any order and length.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.formats.ids import id_bytes, misplaced_ids, pack_ids, repeated_ids, unfit_ids
from sscd.formats.problems import Problem, result_of
from sscd.formats.track2.hdf5 import Hdf5Rows, not_finite
from sscd.vectors import BLOCK

MAX_DIMENSIONS = 256
"""Largest dimension the challenge admits."""

# No compression of descriptors or ids comes near; deflate ends at 1032.
_PACKED = 4096

Side = Literal["query", "reference"]


@dataclass(frozen=True)
class Layout:
    """The two datasets of a side.

    Attributes:
        vectors: Name of the dataset of vectors.
        ids: Name of the dataset of ids.
        official: Whether track 2's limits hold: at most 256 dimensions, sorted by id.
    """

    vectors: str
    ids: str
    official: bool


OFFICIAL: dict[Side, Layout] = {
    "query": Layout("query", "query_ids", official=True),
    "reference": Layout("reference", "reference_ids", official=True),
}
OLDER = Layout("vectors", "image_names", official=False)


def find_side(path: Path, handle: Any, layout: Layout) -> Generator[Problem, None, Hdf5Rows | None]:
    """Yield what is wrong with a side's datasets and ids; its vectors' values are not read.

    Ids may be fixed-length bytes (the official form), variable-length bytes or strings. Vectors
    must be float32: the challenge takes no other type, so another one is an error, not a cast.

    Returns:
        The rows, with their ids; None where they cannot be read.
    """
    vectors = yield from _dataset(path, handle, layout.vectors)
    ids = yield from _dataset(path, handle, layout.ids)
    fits = vectors is not None and (yield from _fits(path, vectors, layout))
    if ids is None:
        return None
    if fits and ids.shape != (len(vectors),):
        text = f"{path}: {layout.vectors} has {len(vectors)} rows and {layout.ids} shape"
        yield Problem("lengths that differ", f"{text} {ids.shape}; expected one id a row")
        fits = False
    names = yield from _read_ids(path, ids, layout)
    if names is None or not fits:
        return None
    return Hdf5Rows(path, layout.vectors, vectors.shape, names)


def open_side(path: Path, handle: Any, layout: Layout) -> Hdf5Rows:
    """The rows of one side of an open file.

    Raises:
        UserError: The side is not as it should be; the message names the dataset and the row.
    """
    rows = result_of(find_side(path, handle, layout))
    if rows is None:
        raise UserError(f"{path}: {layout.vectors} cannot be read; write the file again")
    return rows


def wrong_rows(rows: Hdf5Rows) -> Iterator[Problem]:
    """Yield the rows with a value that is not finite, and blocks that cannot be read.

    Raises:
        UserError: The file cannot be read to its end.
    """
    for start in range(0, len(rows), BLOCK):
        for row in not_finite(rows.unchecked(start, min(start + BLOCK, len(rows)))):
            yield Problem("rows that are not finite", rows.not_finite_text(start + row))


def check_width(path: Path, name: str, width: int, *, official: bool = True) -> Iterator[Problem]:
    """Yield a dimension that track 2 does not take, or none at all."""
    if width < 1 or (official and width > MAX_DIMENSIONS):
        limit = f"track 2 takes 1 to {MAX_DIMENSIONS}" if official else "expected 1 at least"
        yield Problem("wrong dimensions", f"{path}: {name} has {width} dimensions; {limit}")


def unequal_widths(path: Path, queries: int, references: int) -> Iterator[Problem]:
    """Yield that the two sides differ in dimension."""
    if queries != references:
        text = f"{path}: query has {queries} dimensions and reference {references}"
        yield Problem("wrong dimensions", f"{text}; expected the same of both")


def _dataset(path: Path, handle: Any, name: str) -> Generator[Problem, None, Any]:
    import h5py

    found = handle.get(name)
    if isinstance(found, h5py.Dataset):
        return found
    present = ", ".join(sorted(handle)) or "nothing"
    yield Problem("missing datasets", f"{path}: no dataset {name}; it holds {present}")
    return None


def _fits(path: Path, vectors: Any, layout: Layout) -> Generator[Problem, None, bool]:
    """Whether vectors can be read as (n, D) float32."""
    name, fits = layout.vectors, True
    if vectors.dtype.newbyteorder("=") != np.float32:
        yield Problem("wrong types", f"{path}: {name} is {vectors.dtype}; expected float32")
        fits = False
    if vectors.ndim != 2:
        text = f"{path}: {name} has shape {vectors.shape}; expected (n, dimensions)"
        yield Problem("wrong shapes", text)
        return False
    yield from check_width(path, name, vectors.shape[1], official=layout.official)
    if len(vectors) == 0:
        yield Problem("no rows", f"{path}: {name} has no rows; expected at least one")
    elif _never_written(vectors):
        text = f"{path}: {name} was declared but never written; write the file again"
        yield Problem("never written", text)
        fits = False
    return fits


def _never_written(dataset: Any) -> bool:
    """Whether next to nothing of the declared rows is there: they would be read as zeros."""
    return bool(dataset.nbytes > _PACKED * dataset.id.get_storage_size())


def _read_ids(
    path: Path, dataset: Any, layout: Layout
) -> Generator[Problem, None, NDArray[np.bytes_] | None]:
    """The ids, blockwise, since a file may give each of them kilobytes of padding."""
    import h5py

    name = layout.ids
    if h5py.check_string_dtype(dataset.dtype) is None:
        yield Problem("wrong types", f"{path}: {name} is {dataset.dtype}; expected ASCII bytes")
        return None
    if dataset.ndim != 1:
        text = f"{path}: {name} has shape {dataset.shape}; expected one id a row"
        yield Problem("wrong shapes", text)
        return None
    if _never_written(dataset):
        text = f"{path}: {name} was declared but never written; write the file again"
        yield Problem("never written", text)
        return None
    items: list[bytes] = []
    for start in range(0, len(dataset), BLOCK):
        items += id_bytes(dataset[start : start + BLOCK].tolist())
    unfit = False
    for problem in unfit_ids(path, name, items):
        unfit = True
        yield problem
    if unfit:
        return None
    names = pack_ids(path, name, items)
    if layout.official:
        yield from misplaced_ids(path, name, names)
    yield from repeated_ids(path, name, names)
    return names
