"""Descriptors in a Parquet file that are read by slices, a few row groups at a time."""

import threading
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.data.pictures.remote import openable
from sscd.errors import UserError
from sscd.formats.parquet.writing import DESCRIPTOR

_CACHED = 4
_LARGEST_CACHED = 1 << 25
"""Bytes; row groups beyond are read anew for each slice: who wrote them chose their size."""


class ParquetRows:
    """The descriptors of a Parquet file: `sscd.vectors.Vectors`.

    Args:
        place: Path or URL.
        dims: D.
        sizes: Rows of each row group.
        cache: Shared by the files that are read together.
    """

    def __init__(
        self, place: str, dims: int, sizes: tuple[int, ...], *, cache: "RowGroups | None" = None
    ) -> None:
        self.place = place
        self.dims = dims
        self.sizes = sizes
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self._cache = cache or RowGroups()

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, D)."""
        return (len(self), self.dims)

    def __len__(self) -> int:
        """How many rows."""
        return int(self._ends[-1]) if self.sizes else 0

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """The rows of a slice with step 1.

        Raises:
            UserError: They are damaged, null or not finite.
        """
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"got a step of {step}; expected 1")
        pieces = []
        for group, end in enumerate(self._ends.tolist()):
            begin = end - self.sizes[group]
            if begin < stop and start < end and start < stop:
                whole = self._cache.read(self.place, group, (self.sizes[group], self.dims))
                pieces.append(whole[max(start - begin, 0) : stop - begin])
        if not pieces:
            return np.empty((0, self.dims), dtype=np.float32)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows, in memory."""
        if copy is False:
            raise ValueError("got copy=False; expected to copy: the rows lie in a file")
        return np.asarray(self[0 : len(self)], dtype=dtype)


class RowGroups:
    """Row groups that were read last, of any files."""

    def __init__(self) -> None:
        self._cached = lru_cache(maxsize=_CACHED)(_read)
        self._large: tuple[tuple[str, int], NDArray[np.float32]] | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["RowGroups"], tuple[()]]:
        return type(self), ()

    def read(self, place: str, group: int, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The rows of a group, not to be written to.

        Raises:
            UserError: They are damaged, null or not finite.
        """
        if 4 * shape[0] * shape[1] <= _LARGEST_CACHED:
            return self._cached(place, group, shape)
        with self._lock:  # of large groups one is kept: rows are mostly asked for in order
            if self._large is None or self._large[0] != (place, group):
                self._large = None
                self._large = ((place, group), _read(place, group, shape))
            return self._large[1]


def _read(place: str, group: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(openable(place), page_checksum_verification=True) as file:
            table = file.read_row_group(group, columns=[DESCRIPTOR], use_threads=False)
        column = table.column(0).combine_chunks()
        values = column.flatten()
        if column.null_count or values.null_count:
            raise ValueError("a descriptor is null")
        rows = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(shape)
    except UserError:
        raise
    except Exception as error:  # damaged files make Arrow and fsspec raise many things
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{place}: row group {group} cannot be read ({reason})") from error
    if not np.isfinite(rows).all():
        bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise UserError(f"{place}: row group {group} row {bad} is not finite; describe it again")
    rows.flags.writeable = False
    return rows
