"""Vectors that are read block by block, by whoever is free."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sscd.vectors import Vectors

BLOCK = 65_536
"""Rows that are read at once: 64 MiB of 256-d float32."""

Block = tuple[int, NDArray[np.float32]]
"""The number of the first row, and (n, D) rows."""

Place = TypeVar("Place")
Found = TypeVar("Found")


class Turns(Iterator[Block]):
    """Blocks that several threads take in turn.

    Args:
        source: What makes them; asked by one thread at a time.
    """

    def __init__(self, source: Generator[Block, None, None]) -> None:
        self._source, self._lock = source, threading.Lock()

    def __next__(self) -> Block:
        """The next block, for this thread alone."""
        with self._lock:
            return next(self._source)

    def close(self) -> None:
        """Let nobody have another."""
        with self._lock:
            self._source.close()


def take_turns(
    work: Callable[[Place], Found], places: Sequence[Place], turns: Turns
) -> list[Found]:
    """Run the work at each place, in a thread each where there are several.

    Where one fails or the program is interrupted, the others end with their present block.
    """
    try:
        if len(places) == 1:
            return [work(places[0])]
        with ThreadPoolExecutor(len(places)) as pool:
            running = [pool.submit(work, place) for place in places]
            try:
                wait(running, return_when=FIRST_EXCEPTION)
            finally:
                turns.close()
        return [future.result() for future in running]
    finally:
        turns.close()


def read_ahead(vectors: Vectors, *, name: str, start: int = 0) -> Generator[Block, None, None]:
    """Yield the blocks from row `start` on, while the next one is being read.

    Raises:
        ValueError: A value is not finite; `name` says of what.
    """
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(read_rows, vectors, start, BLOCK, name)
        for first in range(start, len(vectors), BLOCK):
            rows = coming.result()
            coming = reader.submit(read_rows, vectors, first + BLOCK, BLOCK, name)
            yield first, rows


def read_rows(vectors: Vectors, start: int, count: int, name: str) -> NDArray[np.float32]:
    """Read rows as contiguous float32 and check them.

    Raises:
        ValueError: A value is not finite, or its square is not; says in which row of `name`.
    """
    rows = np.ascontiguousarray(vectors[start : start + count], dtype=np.float32)
    with np.errstate(over="ignore"):
        # So that no distance overflows either: |q − r|² is at most 4 times the larger |x|².
        finite = np.isfinite(16 * np.einsum("nd,nd->n", rows, rows))
    if not finite.all():
        row = start + int(finite.argmin())
        raise ValueError(f"got a value that is not finite in row {row} of {name}; expected none")
    return rows


def require_one_width(queries: Vectors, references: Vectors) -> None:
    """Check that both are (n, D) of one D.

    Raises:
        ValueError: They are not.
    """
    for vectors, name in ((queries, "queries"), (references, "references")):
        if len(vectors.shape) != 2:
            raise ValueError(f"got {name} of shape {tuple(vectors.shape)}; expected (n, D)")
    if queries.shape[1] != references.shape[1]:
        raise ValueError(
            f"got queries {tuple(queries.shape)}, references {tuple(references.shape)}; "
            "expected one D"
        )
