"""Sides of descriptor files: checked, sorted by id and saved block by block."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.files import atomic_path, check_space, remove_leftovers
from sscd.formats.ids import id_bytes, pack_ids, repeated_ids
from sscd.formats.problems import raise_first
from sscd.formats.track2.hdf5 import Attribute, not_finite, not_finite_text, writing_hdf5
from sscd.formats.track2.layouts import Layout, check_width
from sscd.formats.track2.sorted_rows import sorted_blocks
from sscd.vectors import Vectors

_BESIDE = 100_000  # bytes of attributes and of what HDF5 adds


@dataclass(frozen=True)
class SortedSide:
    """A side that is fit to be saved.

    Attributes:
        vectors: (n, D) float32, in their own order.
        ids: n ids, sorted.
        order: (n,) the row of `vectors` for each id; None where they are the same.
    """

    vectors: Vectors
    ids: NDArray[np.bytes_]
    order: NDArray[np.int64] | None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in a file."""
        return 4 * math.prod(self.vectors.shape) + self.ids.nbytes


def prepare_side(path: Path, layout: Layout, ids: Sequence[str], vectors: Vectors) -> SortedSide:
    """Check all of a side but its vectors' values, and find the order of its ids.

    Raises:
        UserError: No rows, a dimension that track 2 does not take, or an id that is empty,
            repeated or not ASCII.
        ValueError: Vectors that are not float32, or lengths that do not match.
    """
    if len(vectors.shape) != 2 or len(vectors) != len(ids):
        shape = tuple(vectors.shape)
        raise ValueError(f"got {len(ids)} ids, {layout.vectors} {shape}; expected (n, D)")
    dtype = np.asarray(vectors[0:0]).dtype
    if dtype != np.float32:
        raise ValueError(f"got {layout.vectors} of {dtype}; expected float32")
    if len(ids) == 0:
        raise UserError(f"{path}: {layout.vectors} has no rows; expected at least one")
    raise_first(check_width(path, layout.vectors, vectors.shape[1], official=layout.official))
    packed = pack_ids(path, layout.ids, id_bytes(ids))
    order = None
    if (packed[:-1] > packed[1:]).any():
        order = np.argsort(packed, kind="stable")
        packed = packed[order]
    raise_first(repeated_ids(path, layout.ids, packed))
    return SortedSide(vectors, packed, order)


def save_sides(
    path: Path, sides: Mapping[Layout, SortedSide], attributes: Mapping[str, Attribute]
) -> None:
    """Write a descriptor file, which appears only when it is complete.

    Raises:
        UserError: A value is not finite, or the place cannot be written.
    """
    import h5py

    remove_leftovers(path)
    check_space(path, sum(side.nbytes for side in sides.values()) + _BESIDE)
    with atomic_path(path) as temporary, writing_hdf5(), h5py.File(temporary, "w") as handle:
        for layout, side in sides.items():
            _save_side(path, handle, layout, side)
        for key, value in attributes.items():
            handle.attrs[key] = value


def _save_side(path: Path, handle: Any, layout: Layout, side: SortedSide) -> None:
    saved = handle.create_dataset(layout.vectors, shape=side.vectors.shape, dtype=np.float32)
    handle.create_dataset(layout.ids, data=side.ids)
    for start, block in sorted_blocks(side.vectors, side.order):
        for row in not_finite(block)[:1]:
            raise UserError(not_finite_text(path, layout.vectors, start + row, side.ids))
        saved[start : start + len(block)] = block
