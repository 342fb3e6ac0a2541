import numpy as np
import pytest

from sscd.evaluation.macro_ap import macro_ap


def test_by_hand() -> None:
    query = np.array([0, 0, 0, 1, 2])
    scores = np.array([0.9, 0.8, 0.7, 5.0, 9.0])
    correct = np.array([True, False, True, True, False])
    # Query 0: (1/1 + 2/3) / 2; query 1: one of two found, first; query 2 is a distractor.
    got = macro_ap(query, scores, correct, true_counts=np.array([2, 2, 0]))
    assert got == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)


def test_scores_of_different_queries_need_not_compare() -> None:
    query, correct = np.array([0, 0, 1, 1]), np.array([True, False, True, False])
    counts = np.array([1, 1])
    assert macro_ap(query, np.array([9.0, 8.0, 0.2, 0.1]), correct, true_counts=counts) == 1.0


def test_a_tie_is_counted_worst_first() -> None:
    query, correct = np.array([0, 0, 0]), np.array([True, False, False])
    assert macro_ap(query, np.zeros(3), correct, true_counts=np.array([1])) == pytest.approx(1 / 3)


def test_a_query_without_candidates_counts_as_missed() -> None:
    got = macro_ap(np.array([0]), np.zeros(1), np.array([True]), true_counts=np.array([1, 1]))
    assert got == 0.5
    nothing = np.array([], dtype=np.int64)
    empty = macro_ap(nothing, np.zeros(0), nothing.astype(bool), true_counts=np.array([0, 1]))
    assert empty == 0.0


@pytest.mark.parametrize(
    ("query", "counts", "words"),
    [
        ([0, 0], [1], "more right candidates"),
        ([0, 2], [1, 1], "got queries 0 to 2 and 2 counts"),
        ([0, -1], [1, 1], "negative"),
    ],
)
def test_refuses(query: list[int], counts: list[int], words: str) -> None:
    correct = np.array([True, True])
    with pytest.raises(ValueError, match=words):
        macro_ap(np.array(query), np.zeros(2), correct, true_counts=np.array(counts))


def test_refuses_a_truth_without_pairs() -> None:
    with pytest.raises(ValueError, match="0 true pairs"):
        macro_ap(np.array([0]), np.zeros(1), np.array([False]), true_counts=np.array([0]))
