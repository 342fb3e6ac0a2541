"""The best of scored pairs that arrive in blocks, in bounded memory."""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.bytes_]
Scores = NDArray[np.float32] | NDArray[np.float64]


class BestRows:
    """Keeps the `limit` rows of highest score; of equal ones at the cut those of lowest ids.

    What is kept follows from the rows alone, not from the order or the blocks they come in. Never
    more than twice `limit` rows and a block are held.

    Args:
        limit: At least 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"got limit {limit}; expected at least 1")
        self.limit = limit
        self.seen = 0
        self._floor = -np.inf
        self._parts: list[tuple[Ids, Ids, Scores]] = []

    def add(self, query_ids: Ids, reference_ids: Ids, scores: Scores) -> None:
        """Take (n,) rows in."""
        self.seen += len(scores)
        if self._floor > -np.inf:
            kept = scores >= self._floor
            query_ids, reference_ids, scores = query_ids[kept], reference_ids[kept], scores[kept]
        self._parts.append((query_ids, reference_ids, scores))
        if sum(len(part[2]) for part in self._parts) > 2 * self.limit:
            self._parts = [self.rows()]
            self._floor = float(self._parts[0][2].min())

    def rows(self) -> tuple[Ids, Ids, Scores]:
        """The ids and scores kept, in the order in which they came."""
        if not self._parts:
            return np.empty(0, "S1"), np.empty(0, "S1"), np.empty(0, np.float64)
        query_ids, reference_ids, scores = (
            np.concatenate(c) for c in zip(*self._parts, strict=True)
        )
        if len(scores) <= self.limit:
            return query_ids, reference_ids, scores
        place = len(scores) - self.limit
        cut = np.partition(scores, place)[place]
        kept = scores > cut
        tied = np.flatnonzero(scores == cut)
        order = np.lexsort((reference_ids[tied], query_ids[tied]))
        kept[tied[order[: self.limit - int(kept.sum())]]] = True
        return query_ids[kept], reference_ids[kept], scores[kept]


def falling_order(query_ids: Ids, reference_ids: Ids, scores: Scores) -> NDArray[np.int64]:
    """(n,) rows by falling score, equal ones by their ids."""
    order = np.argsort(-scores, kind="stable")
    equal = scores[order[1:]] == scores[order[:-1]]
    tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
    rows = order[tied]
    order[tied] = rows[np.lexsort((reference_ids[rows], query_ids[rows], -scores[rows]))]
    return order
