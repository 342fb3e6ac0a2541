import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.track1.predictions import Predictions


def predictions(queries: list[str], references: list[str]) -> Predictions:
    first, second = (np.array([i.encode() for i in column]) for column in (queries, references))
    return Predictions(first, second, np.arange(len(queries), dtype=np.float64), dropped=4)


def test_ids_are_named_as_the_truth_has_them() -> None:
    given = predictions(["Q1.jpg", "Q2.PNG", "Q1.jpg"], ["R1.jpg", "R2", "R3.jpg"])
    got, changed = given.named_as(queries={"Q1", "Q2"}, references=["R1", "R2.jpeg"])
    assert changed == 4  # Q1, Q2, R1 and R2; R3 is of no interest to the truth
    assert got.query_ids.tolist() == [b"Q1", b"Q2", b"Q1"]
    assert got.reference_ids.tolist() == [b"R1", b"R2.jpeg", b"R3.jpg"]
    assert (got.scores.tolist(), got.dropped, len(got)) == ([0, 1, 2], 4, 3)


def test_ids_that_fit_stay() -> None:
    given = predictions(["Q1", "v1.2"], ["R1.jpg", "R1.png"])
    got, changed = given.named_as(queries={"Q1"}, references={"R1.jpg", "R1.png"})
    assert changed == 0
    assert got.query_ids is given.query_ids
    assert got.reference_ids is given.reference_ids


def test_two_ids_never_become_one() -> None:
    given = predictions(["Q1.jpg", "Q1.png"], ["R1", "R2"])
    with pytest.raises(UserError, match=r"Q1\.\w+ and Q1\.\w+ are both Q1"):
        given.named_as(queries={"Q1"}, references={"R1"})
