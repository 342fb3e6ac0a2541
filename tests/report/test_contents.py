"""The same queries of each system, and reports as they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.judged import Judged
from sscd.evaluation.report import make_report
from sscd.report.contents import make_contents
from tests.report.page.systems import judged, named, predicted


def test_reports_are_those_of_make_report() -> None:
    one = judged()
    contents = make_contents([one], pairs=20, samples=40)
    expected = make_report(one, samples=40, pairs=20)
    assert contents.as_json() == {"reports": [expected.as_json()], "differences": []}
    assert contents.systems[0].examples == expected.examples


def test_others_show_the_queries_that_the_first_chooses() -> None:
    first, other = judged("a", noise=0.3), judged("b", noise=1.3)
    shown = make_contents([first, other], pairs=9, samples=0).systems
    queries = [{example.query for example in one.examples} for one in shown]
    assert len(queries[0]) == 9
    assert queries[0] == queries[1]
    scores = [example.score for example in shown[1].examples if example.score is not None]
    assert scores == sorted(scores, reverse=True)


def test_a_system_of_other_queries_shows_its_own() -> None:
    other = predicted([("x", "r", 1.0)], [("x", "r")])
    shown = make_contents([judged(), other], pairs=9, samples=0).systems
    assert [example.query for example in shown[1].examples] == ["x"]


def of_other_data(system: str) -> Judged:
    """Under the same ids, and of other copies of other references."""
    one = judged(system, seed=5)
    pairs = frozenset((q, f"R{39 - int(r[1:]):04d}") for q, r in one.truth.pairs)
    return replace(one, truth=GroundTruth(pairs, one.truth.listed))


def test_ids_of_other_data_are_no_reason_to_stand_side_by_side() -> None:
    one, other = judged("a"), of_other_data("b")
    assert other.evaluation.candidates.query_ids == one.evaluation.candidates.query_ids
    contents = make_contents([one, other, judged("c", noise=1.3), named(other, "d")], samples=0)
    assert [shown.group for shown in contents.systems] == [0, 1, 0, 1]
    assert "different data" in contents.mixed
    own = make_report(other, samples=0, pairs=9).examples
    assert make_contents([one, other], samples=0, pairs=9).systems[1].examples == own
    assert make_contents([one, judged("c")], samples=0).mixed == ""


def test_pictures_are_lent_within_the_same_data(tmp_path: Path) -> None:
    kept = judged("kept", pictures=tmp_path)
    systems = [judged("bare"), kept, of_other_data("other")]
    lent = [shown.judged.query_pictures for shown in make_contents(systems, samples=0).systems]
    assert lent == [str(tmp_path / "queries"), str(tmp_path / "queries"), ""]
    references = make_contents(systems, samples=0).systems[0].judged.reference_pictures
    assert references == str(tmp_path / "references")


def test_names_must_differ() -> None:
    one = judged()
    with pytest.raises(ValueError, match="each of its own name"):
        make_contents([one, named(one, one.system)])
    with pytest.raises(ValueError, match="one or more"):
        make_contents([])
