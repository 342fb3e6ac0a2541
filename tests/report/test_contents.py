"""The same queries of each system, and reports as they are."""

import pytest

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


def test_names_must_differ() -> None:
    one = judged()
    with pytest.raises(ValueError, match="each of its own name"):
        make_contents([one, named(one, one.system)])
    with pytest.raises(ValueError, match="one or more"):
        make_contents([])
