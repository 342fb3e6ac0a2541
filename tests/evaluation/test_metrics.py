import math

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.evaluation.macro_ap import macro_ap
from sscd.evaluation.metrics import (
    micro_ap,
    micro_ap_of_ids,
    precision_recall,
    recall_at_precision,
    recall_at_rank,
)
from sscd.evaluation.string_ids import Ids
from tests.evaluation.plain import (
    as_candidates,
    average_precision,
    columns,
    macro_average_precision,
    random_case,
    recall_at,
    recall_in_first,
)


def test_equals_the_plain_lists_on_random_cases_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        predictions, truth = random_case(rng)
        query, reference, scores = columns(predictions)
        expected = average_precision(predictions, truth)
        got = micro_ap(query, reference, scores, truth=np.array(sorted(truth)))
        assert got == pytest.approx(expected, abs=1e-12)
        one = as_candidates(predictions, truth)
        for precision in (0.5, 0.9):
            found = recall_at_precision(one.curve(), precision)
            assert found == pytest.approx(recall_at(predictions, truth, precision)[:2], abs=1e-12)
        for rank in (1, 3, 10):
            share = recall_at_rank(query, scores, one.correct, rank=rank, true_pairs=len(truth))
            assert share == pytest.approx(recall_in_first(predictions, truth, rank), abs=1e-12)
        macro = macro_ap(query, scores, one.correct, true_counts=one.true_counts)
        assert macro == pytest.approx(macro_average_precision(predictions, truth), abs=1e-12)


def test_ids_of_every_kind_equal_the_indices() -> None:
    rng = np.random.default_rng(1)
    for case in range(1000):
        predictions, truth = random_case(rng)
        query, reference, scores = columns(predictions)
        expected = average_precision(predictions, truth)
        # Of different widths on either side, and longer than a word of eight bytes.
        query_ids = [f"{'Q' * (case % 19)}{q}" for q in query]
        reference_ids = [f"{r}{'/long' * (case % 7)}" for r in reference]
        pairs = {(f"{'Q' * (case % 19)}{q}", f"{r}{'/long' * (case % 7)}") for q, r in truth}
        kinds: tuple[tuple[Ids, Ids], ...] = (
            (query_ids, reference_ids),
            (np.array(query_ids, dtype=np.bytes_), np.array(reference_ids, dtype="S48")),
            (np.array(query_ids), np.array(reference_ids, dtype=np.bytes_)),
        )
        for queries, references in kinds:
            got = micro_ap_of_ids(queries, references, scores, truth=pairs)
            assert got == pytest.approx(expected, abs=1e-12)


def test_micro_ap_by_hand() -> None:
    query, reference = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 3])
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    truth = np.array([[0, 0], [2, 2], [9, 9]])  # the third pair is never found
    expected = (1 / 1 + 2 / 3) / 3
    assert micro_ap(query, reference, scores, truth=truth) == pytest.approx(expected)


def test_a_tie_is_counted_worst_first() -> None:
    query, reference = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 3])
    truth = np.array([[0, 0], [1, 1]])
    assert micro_ap(query, reference, np.ones(4), truth=truth) == pytest.approx((1 / 3 + 2 / 4) / 2)


def test_the_order_of_the_list_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    predictions, truth = random_case(rng)
    pairs = np.array(sorted(truth))
    values = set()
    for _ in range(20):
        shuffled = [predictions[i] for i in rng.permutation(len(predictions))]
        values.add(micro_ap(*columns(shuffled), truth=pairs))
    assert len(values) == 1


def test_precision_of_exactly_nine_tenths_counts() -> None:
    correct = np.array([True] * 8 + [False, True])
    curve = precision_recall(np.arange(10, 0, -1.0), correct, true_pairs=20)
    assert recall_at_precision(curve, 0.9) == (9 / 20, 1.0)


def test_nothing_reaches_the_precision() -> None:
    curve = precision_recall(np.array([2.0, 1.0]), np.array([False, True]), true_pairs=1)
    assert recall_at_precision(curve, 0.9) == (0.0, math.inf)


def test_threshold_of_a_tie_accepts_the_whole_tie() -> None:
    scores = np.array([3.0, 3.0, 3.0, 3.0])
    correct = np.array([True, True, False, True])
    curve = precision_recall(scores, correct, true_pairs=3)
    assert recall_at_precision(curve, 0.75) == (1.0, 3.0)
    assert recall_at_precision(curve, 0.8) == (0.0, math.inf)


def test_no_predictions_at_all() -> None:
    nothing, truth = np.array([], dtype=np.int64), np.array([[0, 0]])
    assert micro_ap(nothing, nothing, np.array([]), truth=truth) == 0.0
    curve = precision_recall(np.array([]), np.array([], dtype=bool), true_pairs=1)
    assert recall_at_precision(curve) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("query", "scores", "truth", "words"),
    [
        ([0, 0], [1.0, 0.5], [[0, 0]], "more than once in candidates"),
        ([0, 1], [1.0, 0.5], [[0, 0], [0, 0]], "more than once in truth"),
        ([0, 1], [1.0, math.nan], [[0, 0]], "score 1 is NaN"),
        ([0, -1], [1.0, 0.5], [[0, 0]], "negative"),
        ([0, 1], [1.0], [[0, 0]], "expected"),
        ([0, 1, 2], [1.0, 0.5], [[0, 0]], "expected"),
        ([0, 1], [1.0, 0.5], [[0, 0, 0]], "expected"),
        ([2**40, 0], [1.0, 0.5], [[0, 2**40]], "smaller"),
    ],
)
def test_refuses(query: list[int], scores: list[float], truth: list[list[int]], words: str) -> None:
    reference = np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match=words):
        micro_ap(np.array(query), reference, np.array(scores), truth=np.array(truth))


def test_refuses_a_truth_without_pairs() -> None:
    empty = np.zeros((0, 2), dtype=np.int64)
    with pytest.raises(ValueError, match="0 true pairs"):
        micro_ap(np.array([0]), np.array([0]), np.array([1.0]), truth=empty)
    with pytest.raises(ValueError, match="0 true pairs"):
        micro_ap_of_ids(["Q0"], ["R0"], np.array([1.0]), truth=set())


def test_a_repeated_pair_of_ids_is_named() -> None:
    queries, references = ["Q0", "Q1", "Q1"], ["R1", "R1", "R1"]
    for kind in (list, lambda ids: np.array(ids, dtype=np.bytes_)):
        with pytest.raises(UserError, match="the pair Q1,R1 occurs more than once"):
            micro_ap_of_ids(kind(queries), kind(references), np.arange(3.0), truth={("Q0", "R0")})


def test_ids_of_unequal_number() -> None:
    with pytest.raises(ValueError, match="got 2 query and 1 reference ids"):
        micro_ap_of_ids(["Q0", "Q1"], ["R0"], np.arange(2.0), truth={("Q0", "R0")})


def test_recall_at_rank_refuses() -> None:
    query, scores, correct = np.array([0]), np.array([1.0]), np.array([True])
    with pytest.raises(ValueError, match="rank 0"):
        recall_at_rank(query, scores, correct, rank=0, true_pairs=1)
    with pytest.raises(ValueError, match="true pairs"):
        recall_at_rank(query, scores, correct, rank=1, true_pairs=0)
