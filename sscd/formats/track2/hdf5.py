"""HDF5 files as others write them: opened with errors of one line, rows read lazily and checked."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sscd.errors import UserError

Attribute = str | float | int
"""What is kept on a file's root."""


@contextmanager
def reading_hdf5(path: Path, *, what: str = "an HDF5 file") -> Iterator[Any]:
    """Open a file to read, for the block.

    Raises:
        UserError: There is no such file, or it, or what the block reads of it, is truncated,
            damaged or not HDF5.
    """
    import h5py

    if not path.is_file():
        raise UserError(f"{path}: no such file; expected {what}")
    try:
        with h5py.File(path, "r") as handle:
            yield handle
    # A damaged file surfaces from h5py as any of these.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise UserError(unreadable(path, error)) from error


@contextmanager
def writing_hdf5() -> Iterator[None]:
    """Let what HDF5 says of a system that fails be the system's own error, for the block.

    Raises:
        OSError: What is written cannot be kept, such as on a full disk.
    """
    try:
        yield
    # On closing a file that cannot be flushed, h5py raises a RuntimeError.
    except (OSError, RuntimeError) as error:
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            raise OSError(str(error)) from error
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def unreadable(path: Path, error: Exception) -> str:
    """The message for what h5py raises on a file."""
    reason = str(error).replace("\n", " ") or type(error).__name__
    if lengths := re.search(r"truncated file: eof = (\d+).*stored_eof = (\d+)", reason):
        there, expected = (int(length) for length in lengths.groups())
        reason = f"truncated: {there:,} of {expected:,} bytes are there"
    return f"{path}: not a readable HDF5 file ({reason}); copy or write it again"


def attributes_of(handle: Any) -> dict[str, Attribute]:
    """The attributes of a file's root as plain values; arrays as text."""
    return {str(key): _plain(value) for key, value in handle.attrs.items()}


class Hdf5Rows:
    """Rows of a dataset that stay on disk: `sscd.vectors.Vectors`, native float32.

    The file is opened by the first read and anew in another process, and is closed by `close`, at
    the end of a `with` block, or with the object. Every row is checked when it is read.

    Args:
        path: The file.
        name: A dataset of (n, D) float32, of either byte order.
        shape: Its shape.
        ids: n ids, to name a row by.
    """

    def __init__(
        self, path: Path, name: str, shape: tuple[int, int], ids: NDArray[np.bytes_]
    ) -> None:
        self.path, self.name, self.ids = path, name, ids
        self._shape = shape
        self._handle: Any = None
        self._process = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, D)."""
        return self._shape

    def __len__(self) -> int:
        """How many rows."""
        return self._shape[0]

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """The rows of a slice with step 1.

        Raises:
            UserError: They cannot be read, or one holds a value that is not finite.
        """
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"got a step of {step}; expected 1")
        read = self.unchecked(start, stop)
        for row in not_finite(read)[:1]:
            raise UserError(self.not_finite_text(start + row))
        return read

    def unchecked(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows `start` to `stop`, whatever they hold.

        Raises:
            UserError: They cannot be read.
        """
        import h5py

        try:
            if self._handle is None or self._process != os.getpid():
                self._handle, self._process = h5py.File(self.path, "r"), os.getpid()
            read = self._handle[self.name][start : max(start, stop)]
            return np.ascontiguousarray(read, dtype=np.float32)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
            raise UserError(
                f"{unreadable(self.path, error)}: {self.name} rows {start} to {stop - 1}"
            ) from error

    def not_finite_text(self, row: int) -> str:
        """The message for a row with a value that is not finite."""
        return not_finite_text(self.path, self.name, row, self.ids)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows, in memory."""
        if copy is False:
            raise ValueError("got copy=False; expected to copy: the rows lie on disk")
        return np.asarray(self[0 : len(self)], dtype=dtype)

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None}


def not_finite(rows: NDArray[np.float32]) -> list[int]:
    """The rows that hold a value that is not finite, or so large that distances overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = 16 * np.einsum("nd,nd->n", rows, rows)
    found: list[int] = np.flatnonzero(~np.isfinite(squares)).tolist()
    return found


def not_finite_text(path: Path, name: str, row: int, ids: NDArray[np.bytes_]) -> str:
    """The message for a row with a value that is not finite."""
    text = f"{path}: {name} row {row} ({ids[row].decode('ascii', 'replace')})"
    return f"{text} holds a value that is not finite, or too large to compare"


def _plain(value: Any) -> Attribute:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str | float | int) else str(value)
