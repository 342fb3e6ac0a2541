import importlib.util
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sscd.search.engines import streams, sweep
from sscd.search.engines.torch_knn import nearest_torch
from sscd.search.knn import nearest

Metric = Literal["l2", "inner_product"]
METRICS: list[Metric] = ["l2", "inner_product"]
CPU = torch.device("cpu")


def vectors(count: int, *, seed: int, dims: int = 16) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)


def all_scores(
    queries: NDArray[np.float32], references: NDArray[np.float32], metric: Metric
) -> NDArray[np.float64]:
    """Every score by the definition, in float64."""
    q, r = queries.astype(np.float64), references.astype(np.float64)
    if metric == "inner_product":
        return np.asarray(q @ r.T)
    return np.asarray(-np.square(q[:, None] - r[None]).sum(axis=2))


def test_equals_a_naive_search_with_many_ties(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 small sets of whole numbers, whose scores are exact, in small blocks on 1-3 devices."""
    rng = np.random.default_rng(0)
    with_faiss = importlib.util.find_spec("faiss") is not None
    for case in range(500):
        count, others, dims = rng.integers(1, (12, 40, 6))
        queries = rng.integers(-2, 3, (count, dims)).astype(np.float32)
        references = rng.integers(-2, 3, (others, dims)).astype(np.float32)
        k, metric = int(rng.integers(1, others + 1)), METRICS[case % 2]
        monkeypatch.setattr(streams, "BLOCK", int(rng.integers(8, 40)))
        monkeypatch.setitem(sweep.TILE, "cpu", tuple(rng.integers((2, 6), (9, 40)).tolist()))
        expected = all_scores(queries, references, metric)
        order = np.argsort(-expected, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(expected, order, 1)
        devices = [CPU] * int(rng.integers(1, 4))
        got = nearest_torch((0, queries), references, k=k, metric=metric, devices=devices)
        assert np.array_equal(got.indices, order)
        assert np.array_equal(got.scores, best)
        if with_faiss and case % 5 < 2:
            other = nearest(queries, references, k=k, metric=metric, device="cpu", engine="faiss")
            assert np.array_equal(other.scores, best)
            assert np.array_equal(np.take_along_axis(expected, other.indices, 1), best)
            assert all(len(set(row)) == k for row in other.indices.tolist())


def test_descriptors_that_are_almost_one() -> None:
    """A collapsed network: low precision tells nothing apart, and the search is still exact."""
    references = 1 + 1e-3 * vectors(3000, seed=25)
    queries = 1 + 1e-3 * vectors(40, seed=26)
    got = nearest(queries, references, k=5, device="cpu", engine="torch")
    expected = all_scores(queries, references, "l2")
    np.testing.assert_allclose(got.scores, -np.sort(-expected, axis=1)[:, :5], atol=1e-9)


def test_all_scores_are_equal() -> None:
    same = np.repeat(vectors(1, seed=27), 2000, axis=0)
    got = nearest(same[:300], same, k=4, device="cpu", engine="torch")
    assert (got.indices == np.arange(4)).all()
    assert (got.scores == 0).all()
