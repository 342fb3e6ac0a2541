"""The ids of a file's rows: packed, checked and ordered."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.formats.problems import Problem, raise_first

MAX_ID = 1024
"""Bytes of the longest id: ids lie in arrays of fixed width, so that one sets the width of all."""

_SHOWN = 60


def id_bytes(ids: Sequence[str] | NDArray[np.bytes_]) -> list[bytes]:
    """Ids as bytes, also those that are not ASCII."""
    if isinstance(ids, np.ndarray) and ids.dtype.kind == "S":
        packed: list[bytes] = ids.tolist()
        return packed
    return [i if isinstance(i, bytes) else i.encode("utf-8", "surrogatepass") for i in ids]


def pack_ids(path: Path, name: str, ids: Sequence[bytes]) -> NDArray[np.bytes_]:
    """Ids as fixed-width bytes.

    Raises:
        UserError: An id is empty, not ASCII, or too long; the message names file and row.
    """
    raise_first(unfit_ids(path, name, ids))
    return np.array(ids, dtype=np.bytes_) if len(ids) else np.empty(0, dtype="S1")


def unfit_ids(path: Path, name: str, ids: Sequence[bytes]) -> Iterator[Problem]:
    """Yield the ids that are empty, not ASCII, hold a zero byte or are too long."""
    joined = b"".join(ids)
    longest = max(map(len, ids), default=0)
    if joined.isascii() and b"\0" not in joined and all(ids) and longest <= MAX_ID:
        return
    for row, item in enumerate(ids):
        if fault := id_fault(item):
            yield Problem("unfit ids", f"{path}: {name} row {row} {fault}")


def id_fault(item: bytes) -> str:
    """What is wrong with an id, or nothing."""
    if len(item) > MAX_ID:
        return f"is an id of {len(item):,} bytes; expected at most {MAX_ID:,}"
    if not item or not item.isascii() or b"\0" in item:
        shown = item[:_SHOWN].decode("utf-8", "replace")
        return f"is {shown!r}; expected a non-empty ASCII id"
    return ""


def misplaced_ids(path: Path, name: str, ids: NDArray[np.bytes_]) -> Iterator[Problem]:
    """Yield the rows whose id is lower than the one before."""
    for row in (np.flatnonzero(ids[:-1] > ids[1:]) + 1).tolist():
        here, before = ids[row].decode("ascii"), ids[row - 1].decode("ascii")
        text = f"{path}: {name} row {row}: {here} follows {before}; sort the rows by id"
        yield Problem("ids out of order", text)


def repeated_ids(path: Path, name: str, ids: NDArray[np.bytes_]) -> Iterator[Problem]:
    """Yield the rows whose id an earlier row has."""
    ordered = bool((ids[:-1] <= ids[1:]).all())
    order = np.arange(len(ids)) if ordered else np.argsort(ids, kind="stable")
    again = np.flatnonzero(ids[order[:-1]] == ids[order[1:]]) + 1
    for place in again.tolist():
        row, before = int(order[place]), int(order[place - 1])
        text = f"{path}: {name} row {row}: {ids[row].decode('ascii')} occurs twice"
        yield Problem("repeated ids", f"{text}, first in row {before}; keep one")
