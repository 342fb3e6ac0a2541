"""The table of systems beside one another."""

import numpy as np
import pytest
from rich.console import Console

from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.protocol import Evaluation, evaluate_descriptors, evaluate_pairs
from sscd.report.comparison import comparison_table


def evaluation_of(noise: float) -> Evaluation:
    rng = np.random.default_rng(0)
    references = rng.normal(size=(30, 16)).astype(np.float32)
    queries = references[:20] + noise * rng.normal(size=(20, 16)).astype(np.float32)
    return evaluate_descriptors(
        Descriptors([f"Q{i}" for i in range(20)], queries.astype(np.float32)),
        Descriptors([f"R{i}" for i in range(30)], references),
        GroundTruth(frozenset((f"Q{i}", f"R{i}") for i in range(20))),
    )


def test_table_names_the_protocol_and_gives_an_interval() -> None:
    table = comparison_table(
        {"good": evaluation_of(0.01), "bad": evaluation_of(5.0)}, against="good"
    )
    console = Console(width=160, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(table)
    text = captured.get()
    assert "20 copies among 20 queries, 30 references, 10 neighbours a query" in text
    good, bad = (line for line in text.splitlines() if "good  " in line or "bad  " in line)
    assert "1.000" in good
    assert "+0." in bad
    assert " to +" in bad


def test_predictions_do_not_say_how_many_references_there_were() -> None:
    truth = GroundTruth(frozenset({("Q0", "R0")}))
    predictions = evaluate_pairs(["Q0", "Q1"], ["R0", "R0"], np.array([0.9, 0.8]), truth)
    table = comparison_table({"mine": predictions}, against="mine")
    assert table.title == "1 copies among 2 queries, ? references, 2 predicted pairs"


def test_unknown_system() -> None:
    with pytest.raises(ValueError, match="against got 'x'; expected one of good"):
        comparison_table({"good": evaluation_of(0.1)}, against="x")
