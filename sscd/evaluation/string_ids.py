"""Ids to integers: equal ids get equal numbers, in array operations where the ids are an array.

Fixed-width bytes (NumPy's `S`) are read as words of eight bytes, most significant first, which
compare as numbers as the bytes do; strings are numbered by a dictionary.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = Sequence[str] | NDArray[np.bytes_] | NDArray[np.str_]
"""n ids: strings, or an array of fixed-width UTF-8 bytes."""

Codes = NDArray[np.int64]

_WORD = 8


def encode_ids(ids: Ids, *, also: Sequence[str] = ()) -> tuple[Codes, Codes]:
    """Number ids, and further ids by the same numbers.

    Args:
        ids: n ids.
        also: m ids to number alike, such as those of a ground truth.

    Returns:
        (n,) and (m,) numbers from 0, equal where the ids are.

    Raises:
        ValueError: The ids are neither strings nor fixed-width bytes.

    >>> first, second = encode_ids(np.array([b"R7", b"R8", b"R7"]), also=["R8", "R9"])
    >>> first.tolist(), second.tolist()
    ([0, 1, 0], [1, 2])
    """
    if _is_bytes(ids):
        more = np.array([name.encode() for name in also], dtype=np.bytes_)
        codes = _factorise(np.asarray(ids), more)
        return codes[: len(ids)], codes[len(ids) :]
    numbers: dict[str, int] = {}
    return _look_up(_strings(ids), numbers), _look_up(list(also), numbers)


def distinct_ids(ids: Ids) -> tuple[list[str], Codes]:
    """The distinct ids, and for each of n ids its place among them.

    Raises:
        ValueError: The ids are neither strings nor fixed-width bytes.

    >>> names, codes = distinct_ids(np.array([b"Q2", b"Q1", b"Q2"]))
    >>> names, codes.tolist()
    (['Q1', 'Q2'], [1, 0, 1])
    """
    if not _is_bytes(ids):
        numbers: dict[str, int] = {}
        codes = _look_up(_strings(ids), numbers)
        return list(numbers), codes
    array = np.asarray(ids)
    codes = _factorise(array)
    some_place = np.empty(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    some_place[codes] = np.arange(len(codes))
    return [id_text(name) for name in array[some_place].tolist()], codes


def id_text(name: str | bytes) -> str:
    """An id as text; bytes that are not UTF-8 are written as escapes."""
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


def _is_bytes(ids: Ids) -> bool:
    return isinstance(ids, np.ndarray) and ids.dtype.kind == "S"


def _strings(ids: Any) -> list[str]:
    names = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    # Bytes would be numbered without complaint, and no string would ever equal one of them.
    if names and not isinstance(names[0], str):
        raise ValueError(f"got ids of {type(names[0]).__name__}; expected str or an S array")
    return names


def _look_up(names: list[str], numbers: dict[str, int]) -> Codes:
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _factorise(*parts: NDArray[np.bytes_]) -> Codes:
    """Number the ids of all parts, one after the other, in the order of their bytes."""
    words = -(-max(part.dtype.itemsize for part in parts) // _WORD)
    codes = np.zeros(sum(len(part) for part in parts), dtype=np.int64)
    if not codes.size:
        return codes
    padded = np.concatenate([part.astype(f"S{words * _WORD}") for part in parts])
    for word in padded.view(f">u{_WORD}").reshape(-1, words).T:
        if (word == word[0]).all():
            continue
        values, inverse = np.unique(word.astype(np.uint64), return_inverse=True)
        if codes.any():
            inverse = np.unique(codes * len(values) + inverse, return_inverse=True)[1]
        codes = inverse.astype(np.int64, copy=False)
    return codes
