"""Which candidate pairs are right: pairs of the list looked up among those of the ground truth."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.evaluation.string_ids import Ids, encode_ids, id_text

Indices = NDArray[np.integer[Any]]
Marks = NDArray[np.bool_]


def mark_correct(query: Indices, reference: Indices, *, truth: Indices) -> Marks:
    """Return (n,) bool: which (query, reference) pairs are among the (m, 2) `truth` pairs.

    Raises:
        ValueError: A pair occurs twice, in the list or in the truth, or an index is negative.
    """
    marks, twice = _mark(query, reference, truth)
    if twice is not None:
        pair = (int(query[twice]), int(reference[twice]))
        raise ValueError(f"got the pair {pair} more than once in candidates; expected it once")
    return marks


def mark_correct_ids(
    query_ids: Ids, reference_ids: Ids, *, truth: AbstractSet[tuple[str, str]]
) -> Marks:
    """Return (n,) bool: which pairs of ids, as of a track-1 file, are among the `truth` pairs.

    Args:
        query_ids: n ids.
        reference_ids: n ids.
        truth: The right (query id, reference id) pairs.

    Raises:
        UserError: A pair occurs twice; it is named.
        ValueError: The ids are not n each.
    """
    if len(query_ids) != len(reference_ids):
        raise ValueError(f"got {len(query_ids)} query and {len(reference_ids)} reference ids")
    right = list(truth)
    query, true_query = encode_ids(query_ids, also=[pair[0] for pair in right])
    reference, true_reference = encode_ids(reference_ids, also=[pair[1] for pair in right])
    marks, twice = _mark(query, reference, np.stack([true_query, true_reference], axis=1))
    if twice is not None:
        pair = f"{id_text(query_ids[twice])},{id_text(reference_ids[twice])}"
        raise UserError(
            f"the pair {pair} occurs more than once among the predictions; keep one score a pair"
        )
    return marks


def pair_keys(first: Indices, second: Indices, *, width: int) -> NDArray[np.int64]:
    """Return `first * width + second`, one integer (n,) a pair.

    Raises:
        ValueError: An index is negative, or the integers would not fit 64 bits.
    """
    if min(first.min(initial=0), second.min(initial=0)) < 0:
        raise ValueError("got a negative index; expected indices from 0")
    if (int(first.max(initial=0)) + 1) * width > np.iinfo(np.int64).max:
        raise ValueError(f"got indices up to {first.max()} and {width}; expected smaller ones")
    return first.astype(np.int64) * width + second.astype(np.int64)


def _mark(query: Indices, reference: Indices, truth: Indices) -> tuple[Marks, int | None]:
    """The marks, and where a pair of the list stands for the second time."""
    if query.ndim != 1 or query.shape != reference.shape:
        raise ValueError(f"got query {query.shape} and reference {reference.shape}; expected (n,)")
    if truth.ndim != 2 or truth.shape[1] != 2:
        raise ValueError(f"got truth {truth.shape}; expected (m, 2)")
    width = 1 + int(max(reference.max(initial=0), truth[:, 1].max(initial=0)))
    true_keys = np.sort(pair_keys(truth[:, 0], truth[:, 1], width=width))
    if (again := true_keys[1:][true_keys[1:] == true_keys[:-1]]).size:
        pair = divmod(int(again[0]), width)
        raise ValueError(f"got the pair {pair} more than once in truth; expected it once")
    keys = pair_keys(query, reference, width=width)
    order = np.argsort(keys)
    ordered = keys[order]
    twice = order[1:][ordered[1:] == ordered[:-1]]
    marks = np.zeros(len(keys), dtype=np.bool_)
    # The few are looked up among the many: the other way round takes ten times as long.
    place = np.searchsorted(ordered, true_keys)
    place = place[place < len(keys)]
    marks[order[place]] = ordered[place] == true_keys[: len(place)]
    return marks, int(twice.min()) if twice.size else None


def rows_of(ids: Iterable[str], wanted: AbstractSet[str]) -> dict[str, int]:
    """Where the wanted ids stand among many others; those that are missing are left out."""
    return {name: row for row, name in enumerate(ids) if name in wanted}
