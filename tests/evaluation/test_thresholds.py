import math

import numpy as np
import pytest

from sscd.errors import UserError
from sscd.evaluation.candidates import Candidates
from sscd.evaluation.metrics import recall_at_precision
from sscd.evaluation.thresholds import (
    ENOUGH_WRONG,
    Threshold,
    operating_points,
    threshold_for,
    threshold_table,
)
from tests.evaluation.plain import as_candidates, random_case, recall_at


def listed(correct: list[bool], *, true_pairs: int) -> Candidates:
    """One query's pairs by falling score: the first has the score of their number, the last 1."""
    count = len(correct)
    return Candidates(
        query_ids=("Q0",),
        query=np.zeros(count, dtype=np.int64),
        reference=np.arange(count),
        scores=np.arange(count, 0, -1.0),
        correct=np.array(correct),
        true_counts=np.array([true_pairs]),
    )


def test_equals_trying_every_score_on_random_cases_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        predictions, truth = random_case(rng)
        points = operating_points(as_candidates(predictions, truth))
        for precision, times in ((0.5, 1.0), (0.9, 1.0), (0.9, 0.25), (0.6, 10.0), (1.0, 3.0)):
            got = threshold_for(points, precision=precision, scale=times)
            recall, threshold, wrong = recall_at(predictions, truth, precision, times=times)
            assert (got.precision, got.scale) == (precision, times)
            assert (got.threshold, got.wrong) == (threshold, wrong)
            assert got.recall == pytest.approx(recall)


def test_at_one_and_nine_tenths_it_is_the_threshold_of_recall_at_p90() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        one = as_candidates(*random_case(rng))
        cell = threshold_for(one, precision=0.9)
        assert (cell.recall, cell.threshold) == recall_at_precision(one.curve(), 0.9)


def test_points_that_are_no_best_threshold_are_left_out() -> None:
    # Shares of wrong pairs below right ones: 0/1, 1/2, 1/3, 2/4: 1/2 is no better than 1/3.
    points = operating_points(listed([True, False, True, True, False, True], true_pairs=9))
    assert points.scores == (6.0, 3.0, 1.0)
    assert (points.right, points.wrong, points.true_pairs) == ((1, 3, 4), (0, 1, 2), 9)


def test_table_by_hand() -> None:
    # 90 right, then 10 wrong, then 810 right and 90 wrong that come first among these.
    correct = [True] * 90 + [False] * 10 + [False] * 90 + [True] * 810
    table = threshold_table(listed(correct, true_pairs=1000))
    assert [(cell.precision, cell.scale) for cell in table] == [
        (precision, scale) for precision in (0.9, 0.95, 0.99, 0.999) for scale in (1, 10, 1000)
    ]
    first, second = table[0], table[1]
    assert first == Threshold(0.9, 1.0, threshold=1.0, recall=0.9, wrong=100)
    assert (first.supported, first.note) == (True, "")
    # At ten times the references 900 right and 1,000 wrong pairs; only the first 90 are clean.
    assert second == Threshold(0.9, 10.0, threshold=911.0, recall=0.09, wrong=0)
    assert not second.supported
    assert second.note.startswith("rests on 0 wrong pairs at this score or above; fewer than 10")


def test_a_cell_is_supported_from_ten_wrong_pairs_on() -> None:
    for wrong in (ENOUGH_WRONG - 1, ENOUGH_WRONG):
        cell = threshold_for(listed([False] * wrong + [True] * 100, true_pairs=100), precision=0.9)
        assert (cell.wrong, cell.supported) == (wrong, wrong == ENOUGH_WRONG)
    one = threshold_for(listed([False] + [True] * 100, true_pairs=100), precision=0.9)
    assert "rests on 1 wrong pair at" in one.note


def test_no_score_reaches_the_precision() -> None:
    cell = threshold_for(listed([False, True], true_pairs=1), precision=0.99, scale=1000)
    assert (cell.threshold, cell.recall, cell.wrong) == (math.inf, 0.0, 0)
    assert not cell.supported
    assert cell.note == "no score reaches 0.99 precision at 1000x references"
    assert cell.as_json()["threshold"] is None
    nothing = threshold_for(listed([False], true_pairs=1), precision=0.5)
    assert nothing.threshold == math.inf


def test_a_tie_is_accepted_whole_or_not_at_all() -> None:
    one = listed([True, True, False, True], true_pairs=3)
    tied = Candidates(
        one.query_ids, one.query, one.reference, np.full(4, 2.0), one.correct, one.true_counts
    )
    assert threshold_for(tied, precision=0.75) == Threshold(0.75, 1.0, 2.0, recall=1.0, wrong=1)
    assert threshold_for(tied, precision=0.8).threshold == math.inf


def test_a_threshold_accepts_the_float32_score_it_came_from() -> None:
    one = listed([True], true_pairs=1)
    scores = np.array([-0.1], dtype=np.float32)
    single = Candidates(
        one.query_ids, one.query, one.reference, scores, one.correct, one.true_counts
    )
    assert (scores >= threshold_for(single, precision=0.9).threshold).all()


@pytest.mark.parametrize("precision", [0.0, 1.01, 90.0, float("nan"), -0.5])
def test_refuses_a_precision(precision: float) -> None:
    with pytest.raises(UserError, match="give a share above 0 and up to 1"):
        threshold_for(listed([True], true_pairs=1), precision=precision)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_refuses_a_scale(scale: float) -> None:
    with pytest.raises(UserError, match="give a positive number"):
        threshold_for(listed([True], true_pairs=1), precision=0.9, scale=scale)
