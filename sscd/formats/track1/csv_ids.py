"""Ids that a line of a CSV file can hold without quotes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.formats.ids import MAX_ID, id_bytes, id_fault, pack_ids

AnyIds = Sequence[str] | NDArray[np.bytes_]

# What an id may consist of wherever it stands; a blank may not stand at its ends.
_PLAIN = bytes({*range(33, 127)} - {*b'",'})
_IS_PLAIN = np.isin(np.arange(256), list(_PLAIN))


def csv_ids(path: Path, name: str, ids: AnyIds) -> NDArray[np.bytes_]:
    """Ids as fixed-width bytes.

    Args:
        path: The file that they are for, for the message.
        name: What they are, for the message.
        ids: n ids.

    Raises:
        UserError: One is empty, not ASCII, or has a comma, a quote, a control character or a blank
            at an end.
    """
    packed = ids if isinstance(ids, np.ndarray) and ids.dtype.kind == "S" else None
    if packed is None:
        packed = pack_ids(path, name, id_bytes(ids))
    if not len(packed):
        return packed
    codes = np.ascontiguousarray(packed).view(np.uint8).reshape(len(packed), -1)
    plain = _IS_PLAIN[codes]
    # Behind the plain characters there may only be padding.
    fits = plain[:, 0] & ~(plain[:, 1:] & ~plain[:, :-1]).any(axis=1)
    fits &= (plain | (codes == 0)).all(axis=1)
    if packed.dtype.itemsize > MAX_ID:
        fits[:] = False
    for row in np.flatnonzero(~fits).tolist():
        if fault := csv_fault(bytes(packed[row])):
            raise UserError(f"{path}: {name} of pair {row} {fault}")
    return packed


def csv_fault(item: bytes) -> str:
    """What is wrong with an id on a line, or nothing."""
    if fault := id_fault(item):
        return fault
    if item != item.strip() or item.replace(b" ", b"").translate(None, _PLAIN):
        return f"is {item.decode('ascii')[:60]!r}; expected no commas, quotes or control characters"
    return ""
