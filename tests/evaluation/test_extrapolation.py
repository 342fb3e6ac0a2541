import numpy as np
import pytest

from sscd.errors import UserError
from sscd.evaluation.extrapolation import extrapolated_curve, extrapolated_precision
from sscd.evaluation.metrics import precision_recall, recall_at_precision


def test_the_example_of_the_paper() -> None:
    # 10,000 copies; at one threshold 6,000 right and 1,500 wrong pairs on a million references.
    assert extrapolated_precision(0.8, times=10) == pytest.approx(6000 / (6000 + 15_000))
    assert round(extrapolated_precision(0.8, times=10), 2) == 0.29
    scores = np.concatenate([np.full(7500, 1.0), np.zeros(10)])
    correct = np.concatenate([np.arange(7500) >= 1500, np.zeros(10, dtype=bool)])
    here = precision_recall(scores, correct, true_pairs=10_000)
    there = extrapolated_curve(here, times=10)
    assert (here.precision[7499], here.recall[7499]) == (0.8, 0.6)
    assert (round(there.precision[7499], 2), there.recall[7499]) == (0.29, 0.6)


def test_equals_wrong_pairs_that_stand_several_times() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        scores = rng.integers(0, 6, 30) / 2
        correct = rng.random(30) < 0.4
        times = int(rng.integers(1, 5))
        copies = np.where(correct, 1, times)
        written_out = precision_recall(
            np.repeat(scores, copies), np.repeat(correct, copies), true_pairs=30
        )
        there = extrapolated_curve(precision_recall(scores, correct, true_pairs=30), times=times)
        assert there.average_precision() == pytest.approx(written_out.average_precision())
        assert recall_at_precision(there, 0.6) == recall_at_precision(written_out, 0.6)


def test_the_ends_and_fewer_references() -> None:
    assert extrapolated_precision(1.0, times=1000) == 1.0
    assert extrapolated_precision(0.0, times=1000) == 0.0
    assert extrapolated_precision(0.5, times=1) == 0.5
    assert extrapolated_precision(0.5, times=1 / 3) == pytest.approx(0.75)


@pytest.mark.parametrize("times", [0.0, -1.0, float("inf"), float("nan")])
def test_refuses_times(times: float) -> None:
    with pytest.raises(UserError, match="give a positive number"):
        extrapolated_precision(0.5, times=times)


def test_refuses_precision() -> None:
    with pytest.raises(ValueError, match="expected within 0 and 1"):
        extrapolated_precision(80, times=2)
