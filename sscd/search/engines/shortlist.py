"""The globally best pairs, kept in bounded memory while candidates arrive."""

import threading

import numpy as np
from numpy.typing import NDArray

_LEAST_ROOM = 65_536


class Shortlist:
    """The best pairs so far, and the score a pair must reach to be among them.

    It holds `capacity` pairs, at most 2 · limit + 65,536, and is cut to `limit` whenever it is
    full; the cut is then the threshold. Safe to share among threads.

    Args:
        limit: Pairs wanted.
        threshold: Score that pairs must reach from the start.
        room: Pairs to hold beyond `limit` before a cut; by default as many again.

    Attributes:
        threshold: Score below which no pair is wanted any more; rises.
        capacity: Pairs it can hold.
        peak: Pairs it has held at most.
    """

    def __init__(self, limit: int, *, threshold: float = -np.inf, room: int | None = None) -> None:
        self.threshold = float(np.float32(threshold))  # as scores are
        self.capacity = limit + (max(limit, _LEAST_ROOM) if room is None else room)
        self.peak = 0
        self._limit, self._count = limit, 0
        self._last = np.iinfo(np.int64).max  # of the pairs at the threshold, those before this
        self._scores = np.empty(self.capacity, np.float32)
        self._pairs = np.empty(self.capacity, np.int64)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Pairs of the result."""
        return min(self._count, self._limit)

    def add(self, scores: NDArray[np.float32], pairs: NDArray[np.int64]) -> None:
        """Take in (c,) scores of pairs, each a number that is lower the sooner it wins a tie."""
        with self._lock:
            while len(scores):
                wanted = (scores > self.threshold) | (
                    (scores == self.threshold) & (pairs < self._last)
                )
                scores, pairs = scores[wanted], pairs[wanted]
                end = min(self._count + len(scores), self.capacity)
                taken = end - self._count
                self._scores[self._count : end] = scores[:taken]
                self._pairs[self._count : end] = pairs[:taken]
                scores, pairs, self._count = scores[taken:], pairs[taken:], end
                self.peak = max(self.peak, end)
                if end == self.capacity:
                    self._cut()

    def result(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return scores and pairs, at most `limit`, by falling score and rising pair."""
        with self._lock:
            if self._count > self._limit:
                self._cut()
            scores, pairs = self._scores[: self._count], self._pairs[: self._count]
            order = np.lexsort((pairs, -scores))
            return scores[order], pairs[order]

    def _cut(self) -> None:
        scores, pairs = self._scores[: self._count], self._pairs[: self._count]
        place = self._count - self._limit
        lowest = np.partition(scores, place)[place]
        above, equal = np.flatnonzero(scores > lowest), np.flatnonzero(scores == lowest)
        room = self._limit - len(above)
        equal = equal[np.argpartition(pairs[equal], room - 1)[:room]]
        self.threshold, self._last = float(lowest), int(pairs[equal].max())
        kept = np.concatenate([above, equal])
        self._count = self._limit
        self._scores[: self._limit], self._pairs[: self._limit] = scores[kept], pairs[kept]
