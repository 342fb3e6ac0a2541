"""The report: the same numbers as the functions that it is made of."""

import dataclasses
import json
import math

import numpy as np
import pytest

from sscd.evaluation.bootstrap import micro_ap_interval
from sscd.evaluation.by_edit import figures_by_edit
from sscd.evaluation.calibration import calibrate
from sscd.evaluation.protocol import Protocol
from sscd.evaluation.report import make_report
from tests.evaluation.described import PROTOCOLS
from tests.evaluation.judged_sets import judged_system


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_figures_are_those_of_the_evaluation(protocol: Protocol) -> None:
    judged = judged_system(protocol=protocol)
    report = make_report(judged, samples=50)
    candidates = judged.evaluation.candidates
    assert report.figures == judged.evaluation.figures
    assert report.micro_ap_interval == micro_ap_interval(candidates, samples=50)
    assert judged.edits is not None
    assert report.edits == figures_by_edit(candidates, judged.edits)
    calibration = calibrate(judged.evaluation, origin=judged.origin, metric="l2")
    assert report.thresholds == calibration.table()
    assert report.histogram is not None
    assert report.histogram.copies.sum() == np.count_nonzero(candidates.correct)
    place = int(np.argmin(np.abs(report.curve.scores - report.figures.threshold_at_p90)))
    assert report.curve.recall[place] == pytest.approx(report.figures.recall_at_p90)
    assert report.curve.precision[place] >= 0.9
    assert len(report.examples) == 40


def test_json_is_plain_and_whole() -> None:
    report = make_report(judged_system(), samples=50, pairs=5)
    value = report.as_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert set(value) == {field.name for field in dataclasses.fields(report)}
    assert len(value["examples"]) == 5
    assert value["facts"] == {"step": "12"}


def test_what_is_not_known_is_none() -> None:
    judged = judged_system(edits=False)
    scores = judged.evaluation.candidates.scores.copy()
    scores[0] = math.inf
    candidates = dataclasses.replace(judged.evaluation.candidates, scores=scores)
    evaluation = dataclasses.replace(judged.evaluation, candidates=candidates)
    report = make_report(dataclasses.replace(judged, evaluation=evaluation), samples=0)
    assert report.edits is None
    assert report.micro_ap_interval is None
    assert report.histogram is None


def test_counts_become_warnings() -> None:
    judged = judged_system()
    figures = dataclasses.replace(
        judged.evaluation.figures, unlisted_queries=1200, missing_queries=3, missing_pairs=2
    )
    evaluation = dataclasses.replace(judged.evaluation, figures=figures, warnings=("first",))
    report = make_report(dataclasses.replace(judged, evaluation=evaluation), samples=0)
    assert report.warnings[0] == "first"
    assert "1,200 queries" in report.warnings[1]
    assert "3 queries of the ground truth" in report.warnings[2]
    assert "2 of 20 true pairs" in report.warnings[3]
