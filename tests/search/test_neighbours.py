import numpy as np
import pytest

from sscd.search.knn import Neighbours, merge_neighbours, nearest


def test_searches_of_parts_merge_to_the_search_of_all() -> None:
    rng = np.random.default_rng(0)
    queries = rng.integers(-2, 3, (9, 3)).astype(np.float32)
    references = rng.integers(-2, 3, (60, 3)).astype(np.float32)
    parts = []
    for start in (40, 0, 20):
        found = nearest(queries, references[start : start + 20], k=7, device="cpu")
        parts.append(Neighbours(found.scores, found.indices + start))
    merged = merge_neighbours(parts, k=7)
    whole = nearest(queries, references, k=7, device="cpu")
    assert np.array_equal(merged.scores, whole.scores)
    assert np.array_equal(merged.indices, whole.indices)


def test_k_is_cut_to_what_there_is() -> None:
    part = Neighbours(np.array([[2.0, 1.0]], np.float32), np.array([[5, 6]]))
    assert merge_neighbours([part], k=9).indices.tolist() == [[5, 6]]


def test_refuses_parts_of_other_queries() -> None:
    one, two = (
        Neighbours(np.zeros((n, 1), np.float32), np.zeros((n, 1), np.int64)) for n in (1, 2)
    )
    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        merge_neighbours([one, two], k=1)
    with pytest.raises(ValueError, match="one Q"):
        merge_neighbours([], k=1)
