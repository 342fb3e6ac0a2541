import math

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.evaluation.metrics import (
    mark_correct,
    micro_ap,
    micro_ap_of_ids,
    precision_recall,
    ranking,
    recall_at_precision,
    recall_at_rank,
)

Pair = tuple[int, int]


def listed_micro_ap(predictions: list[tuple[int, int, float]], truth: set[Pair]) -> float:
    """The plain implementation: sort a list, walk down it."""
    walk = sorted(predictions, key=lambda p: (-p[2], (p[0], p[1]) in truth))
    found, total = 0, 0.0
    for place, (query, reference, _) in enumerate(walk, start=1):
        if (query, reference) in truth:
            found += 1
            total += found / place
    return total / len(truth)


def listed_recall_at(
    predictions: list[tuple[int, int, float]], truth: set[Pair], precision: float
) -> tuple[float, float]:
    """The plain implementation: try every score as a threshold."""
    best = (0.0, math.inf)
    for threshold in sorted({score for _, _, score in predictions}, reverse=True):
        taken = [(q, r) in truth for q, r, score in predictions if score >= threshold]
        if sum(taken) / len(taken) >= precision and sum(taken) / len(truth) > best[0]:
            best = (sum(taken) / len(truth), threshold)
    return best


def random_case(
    rng: np.random.Generator,
) -> tuple[list[tuple[int, int, float]], set[Pair]]:
    queries, references = int(rng.integers(1, 8)), int(rng.integers(1, 8))
    everything = [(q, r) for q in range(queries) for r in range(references)]
    chosen = rng.permutation(len(everything))[: rng.integers(1, len(everything) + 1)]
    levels = int(rng.integers(1, 6))  # few levels: many ties
    predictions = [(*everything[i], float(rng.integers(levels)) / 3) for i in chosen]
    right = rng.permutation(len(everything))[: rng.integers(1, len(everything) + 1)]
    return predictions, {everything[i] for i in right}


def columns(
    predictions: list[tuple[int, int, float]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    query, reference, scores = zip(*predictions, strict=True)
    return np.array(query), np.array(reference), np.array(scores)


def test_equals_the_plain_lists_on_random_cases_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        predictions, truth = random_case(rng)
        query, reference, scores = columns(predictions)
        pairs = np.array(sorted(truth))
        expected = listed_micro_ap(predictions, truth)
        assert micro_ap(query, reference, scores, truth=pairs) == pytest.approx(expected, abs=1e-12)
        by_id = micro_ap_of_ids(
            [f"Q{q}" for q in query],
            [f"R{r}" for r in reference],
            scores,
            truth={(f"Q{q}", f"R{r}") for q, r in truth},
        )
        assert by_id == pytest.approx(expected, abs=1e-12)
        correct = mark_correct(query, reference, truth=pairs)
        curve = precision_recall(scores, correct, true_pairs=len(truth))
        for precision in (0.5, 0.9):
            assert recall_at_precision(curve, precision) == pytest.approx(
                listed_recall_at(predictions, truth, precision), abs=1e-12
            )


def test_recall_at_rank_equals_the_plain_list() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        predictions, truth = random_case(rng)
        query, reference, scores = columns(predictions)
        correct = mark_correct(query, reference, truth=np.array(sorted(truth)))
        for rank in (1, 3):
            hits = 0
            for one in set(query.tolist()):
                own = [p for p in predictions if p[0] == one]
                own.sort(key=lambda p: (-p[2], (p[0], p[1]) in truth))
                hits += sum((q, r) in truth for q, r, _ in own[:rank])
            got = recall_at_rank(query, scores, correct, rank=rank, true_pairs=len(truth))
            assert got == pytest.approx(hits / len(truth))


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
    assert ranking(np.ones(3), np.array([True, False, True])).tolist() == [1, 0, 2]


def test_the_order_of_the_list_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    predictions, truth = random_case(rng)
    pairs = np.array(sorted(truth))
    values = set()
    for _ in range(20):
        shuffled = [predictions[i] for i in rng.permutation(len(predictions))]
        values.add(micro_ap(*columns(shuffled), truth=pairs))
    assert len(values) == 1


def test_ranking_keeps_scores_a_float32_step_apart() -> None:
    low = np.float32(-0.3)
    scores = np.array([low, np.nextafter(low, np.float32(0))], dtype=np.float32)
    assert ranking(scores, np.array([True, False])).tolist() == [1, 0]


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
    with pytest.raises(UserError, match="Q1,R1"):
        micro_ap_of_ids(
            ["Q0", "Q1", "Q1"], ["R1", "R1", "R1"], np.arange(3.0), truth={("Q0", "R0")}
        )


def test_recall_at_rank_refuses() -> None:
    query, scores, correct = np.array([0]), np.array([1.0]), np.array([True])
    with pytest.raises(ValueError, match="rank 0"):
        recall_at_rank(query, scores, correct, rank=0, true_pairs=1)
    with pytest.raises(ValueError, match="true pairs"):
        recall_at_rank(query, scores, correct, rank=1, true_pairs=0)
