"""Rows of descriptors that need not lie in memory: arrays, memory maps, HDF5, many files."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 65_536
"""Rows that are read at once: 64 MiB of 256-d float32."""


class Vectors(Protocol):
    """(n, D) rows that are read by slices, as NumPy arrays and h5py datasets are."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, D)."""
        ...

    def __len__(self) -> int:
        """How many rows."""
        ...

    def __getitem__(self, rows: slice, /) -> Any:
        """The rows of a slice with step 1, as an array."""
        ...


class Stacked:
    """Several sources one below the other, read as one.

    Args:
        parts: At least one, all (n, D) of one D.

    Raises:
        ValueError: There is none, or they differ in D.

    >>> Stacked([np.zeros((2, 3)), np.ones((4, 3))])[1:4].tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def __init__(self, parts: Sequence[Vectors]) -> None:
        widths = {tuple(part.shape[1:]) for part in parts}
        if len(widths) != 1:
            raise ValueError(f"got parts of widths {sorted(widths)}; expected one width")
        self.parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in parts])

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, D)."""
        return (int(self._ends[-1]), *self.parts[0].shape[1:])

    def __len__(self) -> int:
        """How many rows."""
        return int(self._ends[-1])

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        """The rows of a slice with step 1."""
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"got a step of {step}; expected 1")
        pieces = []
        for part, end in zip(self.parts, self._ends.tolist(), strict=True):
            begin = end - len(part)
            if begin < stop and start < end:
                pieces.append(np.asarray(part[max(start - begin, 0) : stop - begin]))
        if not pieces:
            return np.asarray(self.parts[0][0:0])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows, in memory."""
        if copy is False:
            raise ValueError("got copy=False; expected to copy: the rows lie in several places")
        return np.asarray(self[0 : len(self)], dtype=dtype)


def blocks(
    vectors: Vectors, *, size: int | None = None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (first row, rows as contiguous float32), `size` or `BLOCK` rows at once."""
    step = size or BLOCK
    for start in range(0, len(vectors), step):
        yield start, np.ascontiguousarray(vectors[start : start + step], dtype=np.float32)


def take_rows(vectors: Vectors, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The rows (any shape, each in 0 … n − 1) as (*shape, D) float32, read block by block."""
    wanted, place = np.unique(rows, return_inverse=True)
    result = np.empty((len(wanted), vectors.shape[1]), np.float32)
    for start in np.unique(wanted // BLOCK * BLOCK).tolist():
        first, last = np.searchsorted(wanted, [start, start + BLOCK])
        low, high = int(wanted[first]), int(wanted[last - 1]) + 1
        result[first:last] = np.asarray(vectors[low:high])[wanted[first:last] - low]
    taken: NDArray[np.float32] = result[place.reshape(rows.shape)]
    return taken


def in_memory(vectors: Vectors) -> NDArray[np.float32]:
    """All rows as one contiguous float32 array; a copy only where one is needed."""
    return np.ascontiguousarray(vectors[0 : len(vectors)], dtype=np.float32)
