import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.search.engines.shortlist import Shortlist


@pytest.mark.parametrize("levels", [1, 5, 10_000])  # of scores: all equal, many ties, few
@pytest.mark.parametrize("limit", [1, 30, 1000, 5000])
def test_equals_sorting_everything(levels: int, limit: int) -> None:
    rng = np.random.default_rng(levels + limit)
    scores = rng.integers(0, levels, 4000).astype(np.float32)
    pairs = rng.permutation(4000).astype(np.int64)
    shortlist = Shortlist(limit, room=64)
    for part in np.array_split(np.arange(4000), 17):
        shortlist.add(scores[part], pairs[part])
        assert shortlist.peak <= shortlist.capacity == limit + 64
    order = np.lexsort((pairs, -scores))[:limit]
    got_scores, got_pairs = shortlist.result()
    assert np.array_equal(got_scores, scores[order])
    assert np.array_equal(got_pairs, pairs[order])
    assert len(shortlist) == min(limit, 4000)


def test_threads_may_add_at_once() -> None:
    shortlist = Shortlist(500, room=50)
    parts = np.arange(8000).reshape(8, 1000)

    def add(part: NDArray[np.int64]) -> None:
        for piece in np.split(part, 50):
            shortlist.add(piece.astype(np.float32), piece)

    threads = [threading.Thread(target=add, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shortlist.result()[1].tolist() == list(range(7999, 7499, -1))


def test_the_threshold_rises_to_the_cut_and_starts_where_told() -> None:
    shortlist = Shortlist(2, threshold=1.0, room=2)
    shortlist.add(np.array([0.5, 1.0, 3.0], np.float32), np.arange(3))
    assert len(shortlist) == 2
    assert shortlist.threshold == 1.0
    shortlist.add(np.array([2.0, 4.0], np.float32), np.arange(3, 5))
    assert shortlist.threshold == 3.0
    assert shortlist.result()[1].tolist() == [4, 2]
