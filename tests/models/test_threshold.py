"""Thresholds: one number in three ways of writing it, and what becomes of none."""

import math

import numpy as np
import pytest

from sscd.models.threshold import MatchThreshold, threshold_of_figures


def test_similarity_and_distance_are_of_unit_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 8))
    a, b = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    score = -float(((a - b) ** 2).sum())
    threshold = MatchThreshold(score, 0.9, None, None, "", "")
    assert threshold.similarity == pytest.approx(float(a @ b))
    assert threshold.squared_distance == pytest.approx(-score)


def test_round_trip() -> None:
    threshold = MatchThreshold(-0.5, 0.9, 0.25, 12, "64 square", "somewhere", "rests on sand")
    values = threshold.as_json()
    assert values["similarity"] == 0.75
    assert values["squared_distance"] == 0.5
    assert MatchThreshold.from_json(values) == threshold


@pytest.mark.parametrize("score", [math.inf, math.nan])
def test_a_score_that_is_no_number_is_refused(score: float) -> None:
    values = MatchThreshold(-0.5, 0.9, None, None, "", "").as_json() | {"score": score}
    with pytest.raises(ValueError, match="score got"):
        MatchThreshold.from_json(values)


@pytest.mark.parametrize(
    ("key", "value"),
    [("score", "-0.5"), ("score", True), ("score", None), ("recall", "x"), ("note", 5)],
)
def test_values_of_another_kind_are_refused(key: str, value: object) -> None:
    values = MatchThreshold(-0.5, 0.9, None, None, "", "").as_json() | {key: value}
    with pytest.raises(TypeError, match=f"{key} got"):
        MatchThreshold.from_json(values)


def test_of_a_validation() -> None:
    figures = {"threshold_at_p90": -0.5, "recall_at_p90": 0.25, "references": 12}
    threshold = threshold_of_figures(figures | {"preprocessing": "64 square"})
    assert threshold is not None
    assert (threshold.score, threshold.precision, threshold.recall) == (-0.5, 0.9, 0.25)
    assert (threshold.references, threshold.preprocessing) == (12, "64 square")


@pytest.mark.parametrize("score", [None, math.inf, "x"])
def test_a_validation_without_one(score: object) -> None:
    assert threshold_of_figures({"threshold_at_p90": score}) is None
    assert threshold_of_figures({}) is None
