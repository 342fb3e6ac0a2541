"""Pairs that a system found, judged as the same search of descriptors is."""

import numpy as np
import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.protocol import evaluate_descriptors, evaluate_found
from sscd.search.pairs import best_pairs
from sscd.vectors import in_memory
from tests.evaluation.described import copies, named, unit


@pytest.mark.parametrize("limit", [30, 10_000])
def test_equals_the_protocol_on_descriptors(limit: int) -> None:
    references = named("R", unit(40, seed=0))
    queries, pairs = copies(20, references, noise=1.5)
    truth = GroundTruth(pairs, None)
    found = best_pairs(in_memory(queries.vectors), references.vectors, limit=limit, device="cpu")
    got = evaluate_found(queries.ids, references.ids, found, truth, limit=limit)
    expected = evaluate_descriptors(
        queries, references, truth, protocol="global", limit=limit, device="cpu"
    )
    assert got.figures == expected.figures
    assert got.figures.protocol == f"the globally best {limit:,} pairs"
    assert (got.kind, got.reference_ids) == ("global", references.ids)
    assert got.candidates.query_ids == expected.candidates.query_ids
    np.testing.assert_array_equal(got.candidates.correct, expected.candidates.correct)


def test_what_is_not_listed_is_left_out_and_what_is_missing_is_missed() -> None:
    references = named("R", unit(40, seed=0))
    queries, pairs = copies(20, references, noise=0.1)
    listed = frozenset(queries.ids[:10]) | {"Q-unreadable"}
    known = frozenset(pair for pair in pairs if pair[0] in listed)
    truth = GroundTruth(known | {("Q-unreadable", references.ids[0])}, listed)
    found = best_pairs(in_memory(queries.vectors), references.vectors, device="cpu")
    figures = evaluate_found(queries.ids, references.ids, found, truth).figures
    assert (figures.queries, figures.unlisted_queries) == (10, len(queries.ids) - 10)
    assert (figures.missing_queries, figures.missing_pairs) == (1, 1)
    assert figures.true_pairs == len(known) + 1
    assert figures.micro_ap == pytest.approx(len(known) / (len(known) + 1))


def test_nothing_found_is_a_figure_and_nothing_to_find_an_error() -> None:
    references = named("R", unit(4, seed=0))
    queries, pairs = copies(2, references, noise=0.1)
    none = best_pairs(np.empty((0, references.vectors.shape[1]), np.float32), references.vectors)
    figures = evaluate_found(queries.ids, references.ids, none, GroundTruth(pairs)).figures
    assert (figures.micro_ap, figures.recall_at_p90, figures.queries) == (0, 0, len(queries.ids))
    with pytest.raises(UserError, match="holds no"):
        evaluate_found(queries.ids, references.ids, none, GroundTruth(frozenset()))
    other = GroundTruth(frozenset({("X", "R0")}), frozenset({"X"}))
    with pytest.raises(UserError, match="none of the"):
        evaluate_found(queries.ids, references.ids, none, other)
