"""The descriptor file of the Image Similarity Challenge's track 2, written and checked.

One HDF5 file with four datasets: `query` and `reference`, float32 (n, at most 256), and
`query_ids` and `reference_ids`, ASCII bytes; each pair sorted by id (DISC21 paper, section 6.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.files import atomic_path

MAX_DIMENSIONS = 256
"""Largest dimension the challenge admits."""

Attribute = str | float | int
Sides = Mapping[str, tuple[NDArray[np.float32], NDArray[np.bytes_]]]

_SIDES = ("query", "reference")
_BLOCK = 65_536


@dataclass(frozen=True)
class Track2:
    """The content of a track-2 file.

    Attributes:
        query_ids: Q ids.
        queries: (Q, D) float32.
        reference_ids: R ids.
        references: (R, D) float32.
        attributes: Notes kept on the file's root, for instance how the descriptors were made.
    """

    query_ids: Sequence[str]
    queries: NDArray[np.float32]
    reference_ids: Sequence[str]
    references: NDArray[np.float32]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


def check_track2_dims(dims: int) -> None:
    """Check a descriptor's length before anything is computed.

    Raises:
        UserError: It is over what track 2 admits.
    """
    if dims > MAX_DIMENSIONS:
        raise UserError(
            f"the descriptor has {dims} dimensions; track 2 takes at most {MAX_DIMENSIONS}: train "
            f"with fewer, or export with --training DIR --dims {MAX_DIMENSIONS}"
        )


def write_track2(path: Path, track2: Track2) -> None:
    """Check the descriptors, sort them by id and write them; the file appears only when complete.

    Raises:
        UserError: More than 256 dimensions, a value that is not finite, an id that is empty,
            repeated or not ASCII, no rows, or a place that cannot be written.
        ValueError: Vectors that are not float32, or lengths that do not match.
    """
    if track2.queries.dtype != np.float32 or track2.references.dtype != np.float32:
        raise ValueError(f"got {track2.queries.dtype}, {track2.references.dtype}; expected float32")
    sides = {
        "query": (track2.queries, _encode(path, "query_ids", track2.query_ids)),
        "reference": (track2.references, _encode(path, "reference_ids", track2.reference_ids)),
    }
    for side, (vectors, ids) in sides.items():
        if vectors.ndim != 2 or len(vectors) != len(ids):
            raise ValueError(f"got {len(ids)} ids, {side} {vectors.shape}; expected (n, D)")
        sides[side] = _sorted_by_id(vectors, ids)
    _check_content(path, sides)
    with atomic_path(path) as temporary:
        _save(temporary, sides, track2.attributes)


def read_track2(path: Path) -> Track2:
    """Read and check a track-2 file, whoever wrote it.

    Ids may be fixed-length bytes (the official form), variable-length bytes or strings. Vectors
    must be float32: the challenge takes no other type, so another one is an error, not a cast.

    Raises:
        UserError: The file is absent, truncated or not HDF5; a dataset is missing or of another
            type or shape; over 256 dimensions; a value that is not finite; an id that is repeated,
            out of order, empty or not ASCII. The message names the file, dataset and row.
    """
    import h5py

    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a track-2 HDF5 file")
    try:
        with h5py.File(path, "r") as handle:
            sides = {side: _read_side(path, handle, side) for side in _SIDES}
            attributes = {str(key): _plain(value) for key, value in handle.attrs.items()}
    # A damaged file surfaces from h5py as any of these.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        reason = str(error).replace("\n", " ")
        raise UserError(f"{path}: not a readable HDF5 file ({reason}); write it again") from error
    _check_content(path, sides)
    return Track2(
        query_ids=[name.decode("ascii") for name in sides["query"][1].tolist()],
        queries=sides["query"][0],
        reference_ids=[name.decode("ascii") for name in sides["reference"][1].tolist()],
        references=sides["reference"][0],
        attributes=attributes,
    )


def _save(path: Path, sides: Sides, attributes: Mapping[str, Attribute]) -> None:
    import h5py

    try:
        with h5py.File(path, "w") as handle:
            for side, (vectors, ids) in sides.items():
                handle.create_dataset(side, data=vectors)
                handle.create_dataset(f"{side}_ids", data=ids)
            for key, value in attributes.items():
                handle.attrs[key] = value
    except RuntimeError as error:  # what h5py makes of a full disk on closing
        raise OSError(str(error)) from error


def _read_side(
    path: Path, handle: Any, side: str
) -> tuple[NDArray[np.float32], NDArray[np.bytes_]]:
    vectors, ids = (_dataset(path, handle, name) for name in (side, f"{side}_ids"))
    if vectors.dtype.newbyteorder("=") != np.float32:
        raise UserError(f"{path}: {side} is {vectors.dtype}; track 2 takes float32 only")
    if vectors.ndim != 2:
        raise UserError(f"{path}: {side} has shape {vectors.shape}; expected (n, dimensions)")
    _check_dimensions(path, side, vectors.shape[1])
    if ids.shape != (len(vectors),):
        raise UserError(
            f"{path}: {side} has {len(vectors)} rows and {side}_ids shape {ids.shape}; "
            "expected one id a row"
        )
    if vectors.size and vectors.id.get_storage_size() == 0:
        raise UserError(f"{path}: {side} was declared but never written; write the file again")
    return vectors[:].astype(np.float32, copy=False), _read_ids(path, ids, f"{side}_ids")


def _dataset(path: Path, handle: Any, name: str) -> Any:
    import h5py

    found = handle.get(name)
    if not isinstance(found, h5py.Dataset):
        present = ", ".join(sorted(handle)) or "nothing"
        raise UserError(f"{path}: no dataset {name}; it holds {present}")
    return found


def _read_ids(path: Path, dataset: Any, name: str) -> NDArray[np.bytes_]:
    import h5py

    if h5py.check_string_dtype(dataset.dtype) is None:
        raise UserError(f"{path}: {name} is {dataset.dtype}; expected ASCII bytes")
    values = dataset[:].tolist()
    return _encode(
        path, name, [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
    )


def _encode(path: Path, name: str, ids: Sequence[str]) -> NDArray[np.bytes_]:
    for row, item in enumerate(ids):
        if not item or not item.isascii() or "\0" in item:
            raise UserError(f"{path}: {name} row {row} is {item!r}; expected a non-empty ASCII id")
    return np.array([item.encode("ascii") for item in ids], dtype=np.bytes_)


def _sorted_by_id(
    vectors: NDArray[np.float32], ids: NDArray[np.bytes_]
) -> tuple[NDArray[np.float32], NDArray[np.bytes_]]:
    if np.all(ids[:-1] <= ids[1:]):
        return vectors, ids
    order = np.argsort(ids, kind="stable")
    return vectors[order], ids[order]


def _check_content(path: Path, sides: Sides) -> None:
    widths = []
    for side, (vectors, ids) in sides.items():
        if len(ids) == 0:
            raise UserError(f"{path}: {side} has no rows; expected at least one")
        _check_dimensions(path, side, vectors.shape[1])
        _check_order(path, f"{side}_ids", ids)
        _check_finite(path, side, vectors, ids)
        widths.append(vectors.shape[1])
    if widths[0] != widths[1]:
        raise UserError(
            f"{path}: query has {widths[0]} dimensions and reference {widths[1]}; "
            "expected the same of both"
        )


def _check_dimensions(path: Path, side: str, dimensions: int) -> None:
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise UserError(
            f"{path}: {side} has {dimensions} dimensions; track 2 takes 1 to {MAX_DIMENSIONS}"
        )


def _check_order(path: Path, name: str, ids: NDArray[np.bytes_]) -> None:
    wrong = np.flatnonzero(ids[:-1] >= ids[1:])
    if wrong.size:
        row = int(wrong[0]) + 1
        before, here = ids[row - 1].decode("ascii"), ids[row].decode("ascii")
        problem = "occurs twice" if before == here else f"follows {before}; sort the rows by id"
        raise UserError(f"{path}: {name} row {row}: {here} {problem}")


def _check_finite(
    path: Path, side: str, vectors: NDArray[np.float32], ids: NDArray[np.bytes_]
) -> None:
    for start in range(0, len(vectors), _BLOCK):
        finite = np.isfinite(vectors[start : start + _BLOCK]).all(axis=1)
        if not finite.all():
            row = start + int(finite.argmin())
            name = ids[row].decode("ascii")
            raise UserError(f"{path}: {side} row {row} ({name}) holds a value that is not finite")


def _plain(value: Any) -> Attribute:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str | float | int) else str(value)
