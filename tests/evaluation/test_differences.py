"""Which systems can be compared, and what is said of them."""

from dataclasses import replace

import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.bootstrap import Interval, paired_difference
from sscd.evaluation.differences import Difference, differences, other_data, same_queries
from sscd.evaluation.judged import Judged
from tests.report.page.systems import judged, named, predicted


def test_a_better_system_leads_by_the_paired_bootstrap() -> None:
    worse, better = judged("worse", noise=1.4), judged("better", noise=0.1)
    of_ap, of_recall = differences(better, worse, samples=100)
    assert (of_ap.figure, of_recall.figure) == ("micro_ap", "recall_at_p90")
    expected = paired_difference(
        better.evaluation.candidates, worse.evaluation.candidates, samples=100
    )
    assert of_ap.interval == expected
    assert expected.low > 0
    assert of_ap.verdict == "lead holds"
    back = differences(worse, better, samples=100)[0]
    assert back.verdict == "falls behind"
    assert back.as_json()["interval"]["high"] < 0


def test_a_system_is_not_told_apart_from_itself() -> None:
    one = judged()
    assert differences(named(one, "again"), one, samples=50)[0].verdict.startswith("not told apart")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (judged(queries=58), "other ground truths"),
        (judged(references=39, noise=0.2), "other references: 39 and 40"),
        (predicted([("Q0000", "R0000", 1.0)], [("Q0000", "R0000")]), "other protocols"),
    ],
)
def test_what_cannot_be_compared_says_why(other: Judged, why: str) -> None:
    first = replace(judged(), truth=other.truth) if "references" in why else judged()
    for one in differences(other, first, samples=50):
        assert one.interval is None
        assert one.verdict.startswith(why)
        assert one.as_json()["verdict"] == one.why_not


def test_lists_of_other_lengths_are_not_compared() -> None:
    one = judged()
    figures = replace(one.evaluation.figures, protocol="20 neighbours a query")
    longer = replace(one, evaluation=replace(one.evaluation, figures=figures))
    why = differences(longer, one, samples=50)[0].why_not
    assert why == "other protocols: 20 neighbours a query and 10 neighbours a query"


def test_predictions_are_compared_however_many_they_are() -> None:
    many = predicted([("a", "r", 1.0), ("b", "r", 0.5), ("b", "s", 0.4)], [("a", "r")])
    fewer = predicted([("a", "r", 1.0), ("b", "r", 0.5)], [("a", "r")])
    assert differences(many, fewer, samples=50)[0].interval is not None


def test_other_queries_of_the_same_truth_are_not_compared() -> None:
    listed = predicted([("a", "r", 1.0), ("b", "r", 0.5)], [("a", "r")])
    fewer = predicted([("a", "r", 1.0)], [("a", "r")])
    assert isinstance(listed.truth, GroundTruth)
    assert differences(fewer, listed, samples=50)[0].why_not == "other queries"


def test_ids_alone_are_not_the_same_data() -> None:
    one = judged()
    assert same_queries(one, judged("b", noise=1.4))
    assert not other_data(one, judged("b", noise=1.4))
    moved = replace(one, truth=GroundTruth(frozenset({("Q0001", "R0000")}), one.truth.listed))
    assert not same_queries(one, moved)
    assert other_data(one, moved) == "other ground truths"
    assert other_data(one, judged(references=39, queries=40)) == "other ground truths"


def test_without_resamples_there_is_no_interval() -> None:
    one = judged()
    assert differences(named(one, "b"), one, samples=0)[0].verdict == "no resamples were asked for"
    with pytest.raises(ValueError, match="got -1 samples"):
        differences(one, one, samples=-1)


def test_an_interval_that_touches_zero_is_no_lead() -> None:
    touching = Difference("a", "b", "micro_ap", Interval(0.1, 0.0, 0.2, 0.95, 100))
    assert touching.verdict.startswith("not told apart")
