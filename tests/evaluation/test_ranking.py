import math

import numpy as np
import pytest

from sscd.evaluation.ranking import Scores, rank_within_queries, ranking


def test_equals_a_sort_of_tuples() -> None:
    rng = np.random.default_rng(0)
    for dtype in (np.float16, np.float32, np.float64):
        for _ in range(200):
            count = int(rng.integers(0, 40))
            scores: Scores = (rng.integers(-3, 4, count) / 2).astype(dtype)
            correct = rng.random(count) < 0.5
            query = rng.integers(0, 5, count)
            rows = range(count)
            expected = sorted(rows, key=lambda i: (-scores[i], correct[i], i))
            assert ranking(scores, correct).tolist() == expected
            order, place = rank_within_queries(query, scores, correct)
            assert order.tolist() == sorted(expected, key=lambda i: query[i])
            by_query = query[order].tolist()
            assert place.tolist() == [i - by_query.index(q) for i, q in enumerate(by_query)]


def test_keeps_scores_a_float32_step_apart() -> None:
    low = np.float32(-0.3)
    scores = np.array([low, np.nextafter(low, np.float32(0))], dtype=np.float32)
    assert ranking(scores, np.array([True, False])).tolist() == [1, 0]


def test_equal_infinities_and_zeros_of_either_sign_tie() -> None:
    correct = np.array([True, False])
    assert ranking(np.array([-math.inf, -math.inf]), correct).tolist() == [1, 0]
    assert ranking(np.array([math.inf, math.inf]), correct).tolist() == [1, 0]
    assert ranking(np.array([0.0, -0.0]), correct).tolist() == [1, 0]


@pytest.mark.parametrize("value", [math.nan, np.float32("nan")])
def test_refuses_a_score_that_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="score 1 is NaN"):
        ranking(np.array([0.0, value]), np.array([True, False]))


def test_refuses_arrays_of_unequal_length() -> None:
    with pytest.raises(ValueError, match="expected"):
        ranking(np.zeros(2), np.array([True]))
    with pytest.raises(ValueError, match=r"query \(1,\)"):
        rank_within_queries(np.zeros(1, dtype=np.int64), np.zeros(2), np.array([True, False]))
