import math

import numpy as np
import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.bootstrap import paired_difference
from sscd.evaluation.protocol import evaluate_descriptors, evaluate_pairs
from tests.evaluation.described import PROTOCOLS, copies, named, unit


def test_predictions_have_the_figures_of_their_descriptors() -> None:
    references = named("R", unit(60, seed=0))
    queries, pairs = copies(30, references, noise=1.5)
    listed = frozenset(queries.ids[5:])
    truth = GroundTruth(frozenset(pair for pair in pairs if pair[0] in listed), listed)
    for protocol in PROTOCOLS:
        whole = evaluate_descriptors(queries, references, GroundTruth(pairs), protocol=protocol)
        expected = evaluate_descriptors(queries, references, truth, protocol=protocol).figures
        found = whole.candidates
        query_ids = [found.query_ids[query] for query in found.query]
        reference_ids = [references.ids[row] for row in found.reference]
        for kind in (list, lambda ids: np.array(ids, dtype=np.bytes_)):
            got = evaluate_pairs(kind(query_ids), kind(reference_ids), found.scores, truth)
            same = ("micro_ap", "macro_ap", "recall_at_p90", "threshold_at_p90", "recall_at_1")
            for name in (*same, "recall_at_10", "queries", "true_pairs", "unlisted_queries"):
                assert getattr(got.figures, name) == pytest.approx(getattr(expected, name)), name
            assert got.figures.references is None
            assert got.figures.protocol == f"{len(query_ids):,} predicted pairs"
            assert paired_difference(got.candidates, got.candidates, samples=2).low == 0.0


def test_predictions_where_all_queries_count() -> None:
    truth = GroundTruth(frozenset({("Q0", "R0"), ("Q1", "R1")}))
    got = evaluate_pairs(["Q0", "Q7"], ["R0", "R0"], np.array([0.5, 0.9]), truth, references=40)
    assert got.candidates.query_ids == ("Q0", "Q1", "Q7")
    assert got.figures.micro_ap == pytest.approx(1 / 2 / 2)
    assert (got.figures.queries, got.figures.references) == (3, 40)
    assert (got.figures.unlisted_queries, got.figures.missing_queries) == (0, 0)


def test_predictions_are_refused() -> None:
    truth = GroundTruth(frozenset({("Q0", "R0")}), frozenset({"Q0", "Q1"}))
    with pytest.raises(UserError, match="the pair Q9,R0 occurs more than once"):
        evaluate_pairs(["Q0", "Q9", "Q9"], ["R0"] * 3, np.arange(3.0), truth)
    with pytest.raises(UserError, match="none of the 2 queries is listed"):
        evaluate_pairs(["Q8", "Q9"], ["R0", "R0"], np.arange(2.0), truth)
    with pytest.raises(UserError, match="none of the 0 queries is listed"):
        evaluate_pairs([], [], np.arange(0.0), truth)
    with pytest.raises(UserError, match="holds no"):
        evaluate_pairs(["Q0"], ["R0"], np.arange(1.0), GroundTruth(frozenset()))
    with pytest.raises(ValueError, match="NaN"):
        evaluate_pairs(["Q0"], ["R0"], np.array([math.nan]), truth)
    with pytest.raises(ValueError, match=r"got scores \(2,\) of 1 pairs"):
        evaluate_pairs(["Q0"], ["R0"], np.arange(2.0), truth)
