"""JSON that nothing breaks out of, and a slider that stops at exact counts."""

import json
import math

import numpy as np
import pytest

from sscd.evaluation.report import make_report
from sscd.report.contents import make_contents
from sscd.report.page.payload import page_data, pictures_json, script_json, slider_points
from sscd.report.page.pictures import wanted_pictures
from tests.report.page.systems import judged, predicted

HOSTILE = "</script><!--<script>&\u2028\u2029\"'\n"


def test_nothing_ends_the_script_element() -> None:
    text = script_json({HOSTILE: [HOSTILE]})
    assert not set("<>&\u2028\u2029\n") & set(text)
    assert json.loads(text) == {HOSTILE: [HOSTILE]}


def test_infinite_scores_compare_as_they_do() -> None:
    low, high = json.loads(script_json([-math.inf, math.inf]))
    assert low < -1e300 < 1e300 < high
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json([math.nan])


def test_a_lone_surrogate_is_no_obstacle() -> None:
    assert json.loads(script_json(["\udcff"])) == ["\udcff"]


def test_the_slider_counts_pairs_at_and_above_each_of_its_scores() -> None:
    one = judged(noise=0.8)
    report = make_report(one, samples=0)
    points = slider_points(report)
    candidates = one.evaluation.candidates
    assert points["scores"] == sorted(set(points["scores"]), reverse=True)
    for score, right, wrong in zip(*points.values(), strict=True):
        above = candidates.scores >= score
        assert right == np.count_nonzero(above & candidates.correct)
        assert wrong == np.count_nonzero(above & ~candidates.correct)
    assert report.figures.threshold_at_p90 in points["scores"]
    assert {cell.threshold for cell in report.thresholds} - {math.inf} <= set(points["scores"])


def test_the_data_are_the_report_and_more() -> None:
    one = judged()
    contents = make_contents([one], samples=30)
    data = page_data(contents, wanted_pictures(contents))
    (system,) = data["systems"]
    assert {**make_report(one, samples=30).as_json(), **system} == system
    assert {"points", "pictures"} <= set(system)


def test_predictions_with_infinite_scores_have_data() -> None:
    one = predicted([("q", "r", math.inf), ("q", "s", -math.inf)], [("q", "r")])
    contents = make_contents([one], samples=0)
    data = json.loads(script_json(page_data(contents, wanted_pictures(contents))))
    assert data["systems"][0]["histogram"] is None
    assert data["systems"][0]["examples"][0]["score"] > 1e300


def test_pictures_are_base64_or_null() -> None:
    assert json.loads(pictures_json([b"abc", None])) == ["YWJj", None]
