"""Repeated pairs among any number of lines, found by eight bytes a line."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.formats.problems import Problem
from sscd.formats.track1.lines import ScoredRows, scored_rows

Hashes = NDArray[np.uint64]

_WORD = 8
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))


def pair_hashes(query_ids: NDArray[np.bytes_], reference_ids: NDArray[np.bytes_]) -> Hashes:
    """(n,) hashes of pairs of ids, the same whatever the width of the arrays."""
    return _mix(_hash(query_ids) * _ODD[0] + _hash(reference_ids))


def repeated(hashes: Hashes) -> Hashes:
    """The hashes that occur more than once, sorted."""
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def repeated_pairs(paths: Iterable[Path], suspects: Hashes) -> Iterator[Problem]:
    """Read files again and yield each line whose pair an earlier line has.

    Args:
        paths: Files of track 1, as one.
        suspects: Sorted hashes of pairs that may repeat.
    """
    if not len(suspects):
        return
    first: dict[tuple[bytes, bytes], str] = {}
    for path in paths:
        for rows in scored_rows(path):
            if isinstance(rows, Problem):
                continue
            hashes = pair_hashes(rows.query_ids, rows.reference_ids)
            places = np.searchsorted(suspects, hashes)
            hits = suspects[np.minimum(places, len(suspects) - 1)] == hashes
            yield from _again(path, rows, np.flatnonzero(hits), first)


def _again(
    path: Path,
    rows: ScoredRows,
    places: NDArray[np.int64],
    first: dict[tuple[bytes, bytes], str],
) -> Iterator[Problem]:
    for place in places.tolist():
        pair = bytes(rows.query_ids[place]), bytes(rows.reference_ids[place])
        here = f"{path}, line {int(rows.lines[place])}"
        before = first.setdefault(pair, here)
        if before != here:
            names = b",".join(pair).decode("ascii")
            text = f"{here}: pair {names} is there already in {before}; keep one"
            yield Problem("repeated pairs", text)


def _hash(ids: NDArray[np.bytes_]) -> Hashes:
    words = -(-max(ids.dtype.itemsize, 1) // _WORD)
    table = ids.astype(f"S{words * _WORD}").view(np.uint64).reshape(len(ids), words)
    result = np.zeros(len(ids), dtype=np.uint64)
    for word in table.T:
        # Padding, which is zero, must leave a hash alone.
        result = np.where(word == 0, result, _mix((result ^ word) * _ODD[1] + _ODD[2]))
    return result


def _mix(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(31))) * _ODD[0]
    return values ^ (values >> np.uint64(29))
