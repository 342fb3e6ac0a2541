"""Single rows of a Parquet column, read as a stream: quick where they come in rising order."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from sscd.data.pictures.remote import openable

_ROWS = 16
"""Rows that are held at once: writers put any number of pictures into a row group."""
_BUFFER = 1 << 20


def open_table(place: str) -> Any:
    """Open a Parquet file behind a path or URL, to be read with little memory.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no Parquet file.
    """
    from pyarrow.parquet import ParquetFile

    return ParquetFile(openable(place), buffer_size=_BUFFER)


class RowCursor:
    """One column of a Parquet file, row by row.

    It may be sent to other processes, or forked to them: each opens the file anew.

    Args:
        place: Path or URL of the file.
        column: Its name.
    """

    def __init__(self, place: str, column: str) -> None:
        self.place = place
        self.column = column
        self._process = 0
        self._open: _OpenColumn | None = None

    def __reduce__(self) -> tuple[type["RowCursor"], tuple[str, str]]:
        return type(self), (self.place, self.column)

    def __getitem__(self, row: int) -> Any:
        """The value of a row.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is damaged.
        """
        if self._open is None or self._process != os.getpid():
            self._process = os.getpid()
            self._open = _OpenColumn(self.place, self.column)
        try:
            return self._open.read(row)
        except BaseException:
            self._open = None  # the stream may stand anywhere
            raise


class _OpenColumn:
    def __init__(self, place: str, column: str) -> None:
        self._file = open_table(place)
        self._column = column
        metadata = self._file.metadata
        sizes = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
        self._ends = np.cumsum(sizes)
        self._group = -1
        self._begin = 0  # the first row of the batch, which holds the rows that were read last
        self._batch: Any = ()
        self._stream: Iterator[Any] = iter(())

    def read(self, row: int) -> Any:
        """The value of a row, from the stream, which begins anew where it has passed the row."""
        group = int(np.searchsorted(self._ends, row, side="right"))
        if group != self._group or row < self._begin:
            self._group = group
            self._begin = int(self._ends[group - 1]) if group else 0
            self._batch = ()
            self._stream = self._file.iter_batches(
                batch_size=_ROWS, row_groups=[group], columns=[self._column], use_threads=False
            )
        while row >= self._begin + len(self._batch):
            self._begin += len(self._batch)
            self._batch = next(self._stream).column(0)
        return self._batch[row - self._begin].as_py()
