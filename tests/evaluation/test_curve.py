"""The thinned curve: every point of it is exact."""

import numpy as np
import pytest

from sscd.evaluation.candidates import Candidates
from sscd.evaluation.curve import thinned_curve
from tests.evaluation.judged_sets import judged_system


def candidates(scores: list[float], correct: list[bool], *, true_pairs: int) -> Candidates:
    count = len(scores)
    return Candidates(
        query_ids=tuple(f"Q{i}" for i in range(count)),
        query=np.arange(count),
        reference=np.arange(count),
        scores=np.array(scores, dtype=np.float32),
        correct=np.array(correct),
        true_counts=np.array([true_pairs] + [0] * (count - 1)),
    )


def test_by_hand_with_a_tie() -> None:
    curve = thinned_curve(
        candidates([0.5, 0.9, 0.5, 0.1], [True, True, False, False], true_pairs=4)
    )
    assert curve.scores.tolist() == pytest.approx([0.9, 0.5, 0.1])
    assert curve.right.tolist() == [1, 2, 2]
    assert curve.wrong.tolist() == [0, 1, 2]
    assert curve.precision.tolist() == pytest.approx([1, 2 / 3, 1 / 2])
    assert curve.recall.tolist() == [0.25, 0.5, 0.5]


@pytest.mark.parametrize("points", [2, 3, 10, 57])
def test_thinned_points_are_those_of_the_whole(points: int) -> None:
    rng = np.random.default_rng(points)
    scores = rng.integers(0, 400, size=3000) / 400
    correct = rng.random(3000) < scores
    made = candidates(scores.tolist(), correct.tolist(), true_pairs=3000)
    curve = thinned_curve(made, points=points)
    assert 2 <= len(curve.scores) <= points + 2
    held = made.scores.astype(np.float64)
    for score, right, wrong in zip(curve.scores, curve.right, curve.wrong, strict=True):
        assert right == np.count_nonzero(correct & (held >= score))
        assert wrong == np.count_nonzero(~correct & (held >= score))
    assert curve.scores[0] == held.max()
    assert curve.scores[-1] == held.min()
    assert (np.diff(curve.scores) < 0).all()


def test_thinning_keeps_the_first_wrong_pairs() -> None:
    """A thousand right pairs before the first wrong one, and that in a list of many."""
    scores = np.linspace(1, 0, 20_000)
    correct = np.zeros(20_000, dtype=bool)
    correct[:1000] = True
    made = candidates(scores.tolist(), correct.tolist(), true_pairs=1000)
    curve = thinned_curve(made, points=200)
    assert {1, 2, 4}.issubset(curve.wrong.tolist())
    assert np.diff(curve.right).max() <= 1000 / 99 + 1


def test_refuses_a_curve_of_one_point() -> None:
    with pytest.raises(ValueError, match="1 points"):
        thinned_curve(judged_system().evaluation.candidates, points=1)
