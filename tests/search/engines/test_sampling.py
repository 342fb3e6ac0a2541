import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.search.engines.sampling import guess_threshold
from sscd.search.options import Metric


def unit(count: int, *, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, 32))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


@pytest.mark.parametrize("metric", ["l2", "inner_product"])
@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("limit", [500, 20_000])
def test_the_guess_is_a_little_too_low(limit: int, within: bool, metric: Metric) -> None:
    references = unit(2000, seed=0)
    queries = references if within else unit(1500, seed=1)
    guess = guess_threshold(queries, references, limit=limit, metric=metric, within=within)
    products = queries @ references.T
    scores = products if metric == "inner_product" else 2 * products - 2
    if within:
        scores = scores[np.triu_indices(2000, 1)]
    reached = int((scores >= guess).sum())
    assert limit <= reached <= 4 * limit


def test_says_nothing_where_nearly_all_are_wanted() -> None:
    rows = unit(100, seed=2)
    assert guess_threshold(rows, rows, limit=9000, metric="l2", within=False) == -np.inf
    assert guess_threshold(rows[:2], rows[:2], limit=1, metric="l2", within=True) == -np.inf
