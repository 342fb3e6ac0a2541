"""What single queries came to."""

import numpy as np
import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.examples import Example, choose_examples, false_matches, missed_copies
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import evaluate_pairs
from tests.evaluation.judged_sets import judged_system

PREDICTED = [
    ("a", "R1", 0.9),  # right
    ("b", "R9", 0.8),  # wrong, though R2 is there too
    ("b", "R2", 0.3),
    ("c", "R5", 0.7),  # a distractor
    ("d", "R6", 0.2),  # a copy of R3, which was not found at all
    ("e", "R8", 0.5),  # a copy of R7 and R8; R7 stands lower
    ("e", "R7", 0.4),
]
TRUE = {("a", "R1"), ("b", "R2"), ("d", "R3"), ("d", "R4"), ("e", "R7"), ("e", "R8"), ("f", "R1")}


def predicted() -> Judged:
    truth = GroundTruth(frozenset(TRUE), frozenset("abcdefg"))
    queries, references, scores = zip(*PREDICTED, strict=True)
    evaluation = evaluate_pairs(queries, references, np.array(scores), truth)
    return Judged("s", "d", evaluation, truth, edits={"a": ("blur",)})


def test_by_hand() -> None:
    examples = {one.query: one for one in choose_examples(predicted())}
    assert examples == {
        "a": Example("a", "R1", 0.9, True, "R1", 0.9, ("blur",)),
        "b": Example("b", "R9", 0.8, False, "R2", 0.3),
        "c": Example("c", "R5", 0.7, False, None, None),
        "d": Example("d", "R6", 0.2, False, "R3", None),
        "e": Example("e", "R8", 0.5, True, "R8", 0.5),
        "f": Example("f", None, None, False, "R1", None),
        "g": Example("g", None, None, False, None, None),
    }
    assert examples["a"].as_json()["edits"] == ["blur"]


def test_the_surest_come_first() -> None:
    assert [one.query for one in choose_examples(predicted())] == list("abcedfg")


def test_false_matches_and_missed_copies() -> None:
    examples = choose_examples(predicted())
    assert [one.query for one in false_matches(examples)] == ["b", "c", "d"]
    assert [one.query for one in missed_copies(examples, threshold=0.5)] == ["b", "d", "f"]
    assert [one.query for one in missed_copies(examples, threshold=0.6)] == ["e", "b", "d", "f"]
    nothing = missed_copies(examples, threshold=float("inf"))
    assert [one.query for one in nothing] == ["a", "e", "b", "d", "f"]


@pytest.mark.parametrize("pairs", [1, 7, 30])
def test_fewer_pairs_than_queries(pairs: int) -> None:
    judged = judged_system(noise=1.2)
    every = choose_examples(judged)
    assert len(every) == 40
    some = choose_examples(judged, pairs=pairs)
    assert len(some) == pairs
    assert [one for one in every if one in some] == list(some)
    surest = false_matches(every)[: pairs // 3]
    assert set(surest) <= set(some)


def test_refuses_no_pairs() -> None:
    with pytest.raises(ValueError, match="got 0 pairs"):
        choose_examples(predicted(), pairs=0)
