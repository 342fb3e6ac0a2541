"""Scores of copies and of non-copies."""

import numpy as np
import pytest

from sscd.evaluation.candidates import Candidates
from sscd.evaluation.score_histogram import can_be_drawn, score_histogram


def candidates(scores: list[float]) -> Candidates:
    return Candidates(
        query_ids=("a", "b", "c"),
        query=np.array([0, 0, 0, 1, 1, 2]),
        reference=np.arange(6),
        scores=np.array(scores),
        correct=np.array([True, False, False, False, False, True]),
        true_counts=np.array([1, 0, 1]),
    )


def test_counts_right_pairs_and_the_best_wrong_one_of_each_query() -> None:
    histogram = score_histogram(candidates([1.0, 0.2, 0.1, 0.6, 0.5, 0.9]), bins=4)
    assert histogram.edges.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert histogram.copies.tolist() == [0, 0, 0, 2]
    assert histogram.non_copies.sum() == 2
    assert histogram.non_copies[0] == 1  # 0.2 of a; 0.6 of b is on an edge
    assert set(histogram.as_json()) == {"edges", "copies", "non_copies"}


def test_equal_scores_have_a_bin() -> None:
    histogram = score_histogram(candidates([0.5] * 6), bins=3)
    assert histogram.copies.sum() == 2
    assert histogram.non_copies.sum() == 2


@pytest.mark.parametrize(("worst", "bins"), [(np.inf, 3), (0.5, 0)])
def test_refuses(worst: float, bins: int) -> None:
    with pytest.raises(ValueError, match="expected some, all finite"):
        score_histogram(candidates([0.5] * 5 + [worst]), bins=bins)


@pytest.mark.parametrize("near", [(0.3, 0.1 + 0.2), (1e30, 1e30), (0.0, 5e-324), (-1e-9, 1e-9)])
def test_scores_so_near_that_no_float_lies_between_have_bins(near: tuple[float, float]) -> None:
    histogram = score_histogram(candidates([*near] * 3))
    assert (np.diff(histogram.edges) > 0).all()
    assert histogram.copies.sum() == 2
    assert histogram.non_copies.sum() == 2


def test_scores_so_far_apart_that_their_distance_overflows_are_not_drawn() -> None:
    assert can_be_drawn(np.array([-1e308, 0.0]))
    assert not can_be_drawn(np.array([-1e308, 1e308]))
    assert not can_be_drawn(np.array([0.0, np.inf]))
    assert not can_be_drawn(np.array([]))
