import numpy as np
import pytest

from sscd.evaluation.marking import mark_correct, mark_correct_ids, pair_keys, rows_of
from tests.evaluation.plain import columns, random_case


def test_marks_what_is_in_the_set() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        predictions, truth = random_case(rng)
        query, reference, _ = columns(predictions)
        got = mark_correct(query, reference, truth=np.array(sorted(truth)))
        assert got.tolist() == [(q, r) in truth for q, r, _ in predictions]


def test_a_true_pair_that_is_not_listed_marks_nothing() -> None:
    one = np.array([3])
    assert mark_correct(one, one, truth=np.array([[3, 4], [9, 9], [0, 0]])).tolist() == [False]
    assert mark_correct(one, one, truth=np.zeros((0, 2), dtype=np.int64)).tolist() == [False]
    nothing = np.array([], dtype=np.int64)
    assert mark_correct(nothing, nothing, truth=np.array([[0, 0]])).tolist() == []


def test_query_and_reference_are_not_exchanged() -> None:
    got = mark_correct_ids(["A", "B"], ["B", "A"], truth={("A", "B")})
    assert got.tolist() == [True, False]


def test_the_first_repeated_pair_is_named() -> None:
    query, reference = np.array([5, 1, 2, 1, 2]), np.array([0, 7, 8, 7, 8])
    with pytest.raises(ValueError, match=r"the pair \(1, 7\) more than once in candidates"):
        mark_correct(query, reference, truth=np.array([[0, 0]]))


def test_pair_keys_refuse_what_does_not_fit() -> None:
    assert pair_keys(np.array([2]), np.array([3]), width=10).tolist() == [23]
    with pytest.raises(ValueError, match="smaller"):
        pair_keys(np.array([2**40]), np.array([0]), width=2**30)


def test_rows_of_leaves_out_what_is_missing() -> None:
    assert rows_of(["R2", "R0", "R1"], {"R1", "R2", "R9"}) == {"R2": 0, "R1": 2}
