"""Rows on disk in another order, block by block."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sscd.vectors import BLOCK, Vectors, blocks

_GATHERED = 4 * BLOCK


def sorted_blocks(
    vectors: Vectors,
    order: NDArray[np.int64] | None,
    *,
    size: int = BLOCK,
    gathered: int = _GATHERED,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (first row, rows) of `vectors[order]`, never more than a few blocks in memory.

    Rows on disk are read in runs: for each block that is put together, the source is passed once,
    and of it only the parts that have rows of the block. So rows that are nearly in order are read
    once, and those in no order n / `gathered` times, never one by one.

    Args:
        vectors: (n, D).
        order: (n,) rows of `vectors`; None for their own order.
        size: Rows that are read at once.
        gathered: Rows that are put together at once, where they do not lie in memory.
    """
    if order is None:
        yield from blocks(vectors, size=size)
        return
    if isinstance(vectors, np.ndarray):
        for start in range(0, len(order), size):
            yield start, vectors[order[start : start + size]]
        return
    for start in range(0, len(order), gathered):
        yield start, _gather(vectors, order[start : start + gathered], size=size)


def _gather(vectors: Vectors, wanted: NDArray[np.int64], *, size: int) -> NDArray[np.float32]:
    result = np.empty((len(wanted), vectors.shape[1]), dtype=np.float32)
    places = np.argsort(wanted)  # where in the result each row goes, in the order of the source
    sources = wanted[places]
    begin = 0
    while begin < len(sources):
        first = int(sources[begin])
        end = int(np.searchsorted(sources, first + size))
        read = np.asarray(vectors[first : int(sources[end - 1]) + 1])
        result[places[begin:end]] = read[sources[begin:end] - first]
        begin = end
    return result
