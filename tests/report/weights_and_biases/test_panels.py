"""Panels, as the real client has written them offline: the report's figures and no others."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sscd.evaluation.examples import false_matches, missed_copies
from sscd.evaluation.report import Report, make_report
from sscd.report.weights_and_biases.panels import panels_of
from sscd.training.run.weights_and_biases.client import open_run, shut_down
from tests.offline_wandb import OfflineRun, offline_runs
from tests.report.weights_and_biases.judged import small_judged, small_pictures

ROWS = 5


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report(small_judged(), samples=20)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, report: Report) -> OfflineRun:
    """The panels of a report in an offline run, read back; those of no pictures a row later."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DATA_DIR", str(folder / "data"))
        patch.setenv("WANDB_SILENT", "true")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        run = open_run(
            {"dir": str(folder), "project": "test"}, mode="offline", wait=5, given_up=lambda: False
        )
        pictures = small_pictures(folder)
        run.log(panels_of(report, pictures, rows=ROWS), step=7)
        run.finish()
        shut_down()
    (read,) = offline_runs(folder)
    return read


def test_the_figures_are_the_reports(logged: OfflineRun, report: Report) -> None:
    for name, value in report.figures.as_log().items():
        assert logged.values(f"val/{name}") == {7: value}
    assert report.micro_ap_interval
    assert logged.values("val/micro_ap_low") == {7: report.micro_ap_interval.low}
    assert logged.values("val/micro_ap_high") == {7: report.micro_ap_interval.high}


def test_the_curve_is_a_chart_of_the_reports_points(logged: OfflineRun, report: Report) -> None:
    rows = logged.table("val/precision_recall_table")
    assert [row["recall"] for row in rows] == report.curve.recall.tolist()
    assert [row["precision"] for row in rows] == report.curve.precision.tolist()
    assert [row["score"] for row in rows] == report.curve.scores.tolist()
    chart = logged.config["_wandb"]["visualize"]["val/precision_recall"]
    assert chart["panel_config"]["panelDefId"] == "wandb/line/v0"
    assert chart["panel_config"]["fieldSettings"] == {
        "x": "recall",
        "y": "precision",
        "stroke": None,
    }
    assert "10 neighbours a query" in chart["panel_config"]["stringSettings"]["title"]


def test_scores_of_copies_and_others_with_the_threshold(logged: OfflineRun, report: Report) -> None:
    histogram = report.histogram
    assert histogram
    for key, counts in (("copies", histogram.copies), ("non_copies", histogram.non_copies)):
        (shown,) = logged.values(f"val/scores_of_{key}").values()
        assert shown["_type"] == "histogram"
        assert shown["values"] == counts.tolist()
        assert shown["bins"] == histogram.edges.tolist()
    rows = logged.table("val/scores_table")
    threshold = [row for row in rows if row["pairs"] == "threshold at P90"]
    assert {row["score"] for row in threshold} == {report.figures.threshold_at_p90}
    for name, counts in (("copies", histogram.copies), ("non-copies", histogram.non_copies)):
        shares = [row["share"] for row in rows if row["pairs"] == name]
        assert shares == pytest.approx((counts / counts.sum()).tolist())


def test_bars_by_edit(logged: OfflineRun, report: Report) -> None:
    assert report.edits
    expected = [
        {"edit": one.name, "copies": one.copies, "micro_ap": one.micro_ap}
        | {"recall_at_p90": one.recall_at_p90, "recall_at_1": one.recall_at_1}
        for one in report.edits.operations
    ]
    assert logged.table("val/micro_ap_by_edit_table") == expected
    chart = logged.config["_wandb"]["visualize"]["val/micro_ap_by_edit"]["panel_config"]
    assert chart["panelDefId"] == "wandb/bar/v0"
    counts = logged.table("val/figures_by_number_of_edits")
    assert [row["edits"] for row in counts] == [one.name for one in report.edits.counts]


def test_thresholds(logged: OfflineRun, report: Report) -> None:
    rows = logged.table("val/thresholds")
    assert [row["recall"] for row in rows] == [cell.recall for cell in report.thresholds]
    finite = [cell.threshold for cell in report.thresholds]
    assert [row["threshold"] for row in rows] == [t if math.isfinite(t) else None for t in finite]
    assert {row["references"] for row in rows} == {"1x", "10x", "1000x"}


def test_tables_have_the_pictures_side_by_side(logged: OfflineRun, report: Report) -> None:
    wrong = false_matches(report.examples)[:ROWS]
    missed = missed_copies(report.examples, threshold=report.figures.threshold_at_p90)[:ROWS]
    assert wrong
    assert missed
    for key, examples in (("false_matches", wrong), ("missed_copies", missed)):
        artifact = next(one for one in logged.artifacts if key in one.name)
        (name,) = [file for file in artifact.files if file.endswith(".table.json")]
        rows = _rows(artifact.files[name])
        assert [row["query id"] for row in rows] == [one.query for one in examples]
        assert [row["found id"] for row in rows] == [one.found for one in examples]
        assert [row["score"] for row in rows] == [one.score for one in examples]
        assert [row["expected score"] for row in rows] == [one.expected_score for one in examples]
        assert [row["edits"] for row in rows] == [", ".join(one.edits) for one in examples]
        for row, one in zip(rows, examples, strict=True):
            for column, expected in (
                ("query", one.query),
                ("found", one.found),
                ("expected", one.expected),
            ):
                _assert_shows(row[column], expected, artifact.files)


def _rows(path: Path) -> list[dict[str, Any]]:
    table = json.loads(path.read_text())
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def _assert_shows(cell: Any, expected: str | None, files: dict[str, Path]) -> None:
    """A cell holds a small picture of the shade that this id has; none where there is none."""
    if expected is None or expected in ("Q000", "R029"):
        assert cell is None
        return
    with Image.open(files[cell["path"]]) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (128, 96)
        assert abs(picture.getpixel((5, 5))[0] - 8 * int(expected[1:])) < 3  # type: ignore[index]


def test_without_pictures_there_are_no_tables_of_examples(report: Report, tmp_path: Path) -> None:
    panels = panels_of(report, small_pictures(tmp_path), rows=0)
    assert not {"val/false_matches", "val/missed_copies"} & set(panels)
    assert "val/precision_recall" in panels


def test_without_edits_and_a_threshold(tmp_path: Path, report: Report) -> None:
    figures = dataclasses.replace(report.figures, threshold_at_p90=math.inf)
    plain = dataclasses.replace(report, edits=None, figures=figures, micro_ap_interval=None)
    panels = panels_of(plain, small_pictures(tmp_path), rows=2)
    assert "val/micro_ap_by_edit" not in panels
    assert {row[2] for row in panels["val/scores"].table.data} == {"copies", "non-copies"}
    assert len(panels["val/missed_copies"].data) == 2
