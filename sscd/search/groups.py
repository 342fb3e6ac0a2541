"""Pairs of one set to groups: pictures that hang together by copies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.search.pairs import Pairs


@dataclass(frozen=True)
class CopyGroup:
    """Pictures of which each is a copy of another one of the group.

    Attributes:
        members: (n,) int64 rows, rising; n at least 2.
        nearest: (n,) int64, of each member the row that it matches best.
        scores: (n,) float32, the score of that match.
    """

    members: NDArray[np.int64]
    nearest: NDArray[np.int64]
    scores: NDArray[np.float32]


def connected_groups(pairs: Pairs, *, count: int) -> list[CopyGroup]:
    """Join pairs to connected groups, the largest first.

    Two pictures of a group need not match each other: a chain of matches joins them.

    Args:
        pairs: Matches within one set, each once, the best first.
        count: Rows of the set.

    Raises:
        ValueError: A pair names a row that is not in 0 … count − 1.
    """
    # Interleaved, so that a row's first mention is its best match, whichever side it stands on.
    rows = np.stack([pairs.query, pairs.reference], axis=1).ravel()
    if not rows.size:
        return []
    if not 0 <= rows.min() <= rows.max() < count:
        raise ValueError(f"got rows {rows.min()} to {rows.max()}; expected 0 to {count - 1}")
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array(
        (np.ones(len(pairs.query), np.int8), (pairs.query, pairs.reference)), shape=(count, count)
    )
    _, labels = connected_components(links, directed=False)
    matched, first = np.unique(rows, return_index=True)
    nearest = rows[first ^ 1]
    scores = pairs.scores[first // 2]
    order = np.argsort(labels[matched], kind="stable")
    edges = np.flatnonzero(np.diff(labels[matched][order])) + 1
    groups = [
        CopyGroup(matched[chosen], nearest[chosen], scores[chosen])
        for chosen in np.split(order, edges)
    ]
    return sorted(groups, key=lambda group: (-len(group.members), int(group.members[0])))
