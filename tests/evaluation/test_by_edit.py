import numpy as np
import pytest

from sscd.errors import UserError
from sscd.evaluation.by_edit import figures_by_edit
from sscd.evaluation.candidates import Candidates
from tests.evaluation.plain import (
    Pair,
    Prediction,
    as_candidates,
    average_precision,
    random_case,
    recall_at,
    recall_in_first,
    worst_first,
)

Edits = dict[str, tuple[str, ...]]


def listed_group(
    predictions: list[Prediction], truth: set[Pair], group: set[int]
) -> tuple[float, float, float]:
    """The plain implementation: walk down a list whose entries have weights."""
    copies = {query for query, _ in truth}
    own_truth = {pair for pair in truth if pair[0] in group}
    kept = [p for p in predictions if p[0] in group or p[0] not in copies]
    found, listed, total = 0, 0.0, 0.0
    for query, reference, _ in worst_first(kept, truth):
        listed += 1 if query in group else len(group) / len(copies)
        if (query, reference) in truth:
            found += 1
            total += found / listed
    _, threshold, _ = recall_at(predictions, truth, 0.9)
    own = [p for p in predictions if p[0] in group]
    accepted = sum((q, r) in truth and score >= threshold for q, r, score in own)
    count = len(own_truth)
    return total / count, accepted / count, recall_in_first(own, own_truth, 1)


def test_equals_the_plain_list_on_random_cases_with_ties() -> None:
    rng = np.random.default_rng(0)
    names = ("blur", "crop", "rotate")
    compared = 0
    for _ in range(500):
        predictions, truth = random_case(rng)
        candidates = as_candidates(predictions, truth)
        edits: Edits = {
            query: tuple(rng.choice(names, rng.integers(0, 4)).tolist())
            for query in candidates.query_ids
        }
        got = figures_by_edit(candidates, edits)
        copies = {query for query, _ in truth}
        for group in (*got.operations, *got.counts):
            members = {
                q
                for q in copies
                if group.name in edits[f"Q{q}"] or group.name == str(len(edits[f"Q{q}"]))
            }
            expected = listed_group(predictions, truth, members)
            figures = (group.micro_ap, group.recall_at_p90, group.recall_at_1)
            assert figures == pytest.approx(expected, abs=1e-12)
            assert group.copies == len(members)
            compared += 1
        assert sum(group.copies for group in got.counts) == got.copies == len(copies)
    assert compared > 1000


def test_the_group_of_all_copies_has_the_figures_of_the_set() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        predictions, truth = random_case(rng)
        candidates = as_candidates(predictions, truth)
        got = figures_by_edit(candidates, dict.fromkeys(candidates.query_ids, ("crop",)))
        recall, threshold, _ = recall_at(predictions, truth, 0.9)
        first = recall_in_first(predictions, truth, 1)
        expected = (average_precision(predictions, truth), recall, first)
        assert [group.name for group in (*got.operations, *got.counts)] == ["crop", "1"]
        for group in (*got.operations, *got.counts):
            figures = (group.micro_ap, group.recall_at_p90, group.recall_at_1)
            assert figures == pytest.approx(expected)
            assert group.copies == len({query for query, _ in truth})
        assert got.threshold_at_p90 == threshold
        assert (got.unrecorded_queries, got.warning) == (0, None)


def by_hand() -> Candidates:
    """Copies Q0 and Q1, distractor Q2; the distractor's pair stands between the copies' two."""
    return as_candidates([(0, 0, 0.9), (2, 1, 0.8), (1, 1, 0.7)], {(0, 0), (1, 1)})


def test_by_hand() -> None:
    got = figures_by_edit(by_hand(), {"Q0": ("blur",), "Q1": ("crop", "flip"), "Q2": ("blur",)})
    # Each group is half of the copies, so that the pair of the distractor counts one half.
    crop, flip, blur = got.operations
    assert (blur.name, blur.micro_ap, blur.recall_at_p90, blur.copies) == ("blur", 1.0, 1.0, 1)
    assert crop.micro_ap == pytest.approx(1 / 1.5)
    assert (crop.name, crop.recall_at_p90, crop.recall_at_1) == ("crop", 0.0, 1.0)
    assert (flip.name, flip.micro_ap) == ("flip", crop.micro_ap)
    assert [(group.name, group.micro_ap) for group in got.counts] == [
        ("1", blur.micro_ap),
        ("2", crop.micro_ap),
    ]
    assert got.threshold_at_p90 == 0.9


def test_queries_without_a_record_are_counted_and_said() -> None:
    got = figures_by_edit(by_hand(), {"Q0": ("blur",), "Q9": ("blur",)})
    assert [(group.name, group.copies) for group in got.operations] == [("blur", 1)]
    assert (got.copies, got.unrecorded_copies, got.unrecorded_queries) == (2, 1, 2)
    assert got.warning is not None
    assert got.warning.startswith("2 queries have no record of edits, 1 of the 2 copies among them")


def test_records_of_another_set_are_refused() -> None:
    with pytest.raises(UserError, match="none of the 2 copies has a record"):
        figures_by_edit(by_hand(), {"Q2": ("blur",), "X": ("blur",)})
