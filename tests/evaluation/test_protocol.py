import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.data.descriptors import Descriptors, Origin
from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.bootstrap import micro_ap_interval, paired_difference
from sscd.evaluation.protocol import evaluate_descriptors
from sscd.vectors import Stacked, in_memory
from tests.evaluation.described import PROTOCOLS, copies, named, unit

Listed = list[tuple[float, str, str]]


def scored(queries: Descriptors, references: Descriptors) -> list[Listed]:
    """Every query's pairs as (minus score, query, reference), the best first."""
    near = []
    rows = in_memory(references.vectors).astype(np.float64)
    for name, vector in zip(queries.ids, in_memory(queries.vectors), strict=True):
        distances = np.square(rows - vector).sum(axis=1)
        near.append(sorted(zip(distances, [name] * len(rows), references.ids, strict=True)))
    return near


def plain(listed: Listed, truth: frozenset[tuple[str, str]]) -> float:
    """Micro-AP by a loop."""
    found, total = 0, 0.0
    for place, (_, query, reference) in enumerate(sorted(listed), start=1):
        right = (query, reference) in truth
        found += right
        total += right * found / place
    return total / len(truth)


def test_equals_the_protocol_as_loops() -> None:
    references = named("R", unit(80, seed=0))
    for noise in (0.5, 1.5, 4.0):
        queries, pairs = copies(40, references, noise=noise)
        got = evaluate_descriptors(queries, references, GroundTruth(pairs, None), device="cpu")
        ten = [pair for near in scored(queries, references) for pair in near[:10]]
        assert got.figures.micro_ap == pytest.approx(plain(ten, pairs))
        own = [
            plain(near[:10], pairs & {(near[0][1], f"R{near[0][1][1:]}")})
            for near in scored(queries, references)[:20]
        ]
        assert got.figures.macro_ap == pytest.approx(np.mean(own))


def test_equals_the_globally_best_pairs_as_a_sorted_list() -> None:
    references = named("R", unit(80, seed=0))
    for noise, limit in ((0.5, 25), (1.5, 100), (4.0, 1000), (4.0, 100_000)):
        queries, pairs = copies(40, references, noise=noise)
        got = evaluate_descriptors(
            queries,
            references,
            GroundTruth(pairs, None),
            protocol="global",
            limit=limit,
            device="cpu",
        )
        everything = sorted(pair for near in scored(queries, references) for pair in near)
        assert len(got.candidates.scores) == min(limit, 40 * 80)
        assert got.figures.micro_ap == pytest.approx(plain(everything[:limit], pairs))
        assert got.figures.protocol == f"the globally best {limit:,} pairs"
        first = {near[0][1:] for near in scored(queries, references)} & pairs
        kept = {pair[1:] for pair in everything[:limit]}
        assert got.figures.recall_at_1 == pytest.approx(len(first & kept) / len(pairs))


def test_the_global_protocol_has_the_limit_of_the_challenge() -> None:
    references = named("R", unit(20, seed=0))
    queries, pairs = copies(10, references, noise=0.0)
    got = evaluate_descriptors(queries, references, GroundTruth(pairs, None), protocol="global")
    assert got.figures.protocol == "the globally best 500,000 pairs"
    assert len(got.candidates.scores) == 200


def test_perfect_descriptors() -> None:
    references = named("R", unit(50, seed=0))
    queries, pairs = copies(20, references, noise=0.0)
    figures = evaluate_descriptors(queries, references, GroundTruth(pairs, None)).figures
    assert figures.micro_ap == figures.recall_at_p90 == figures.recall_at_1 == 1.0
    assert figures.threshold_at_p90 == pytest.approx(0.0, abs=1e-5)
    assert (figures.queries, figures.references, figures.true_pairs) == (20, 50, 10)
    assert (figures.unlisted_queries, figures.missing_queries, figures.missing_pairs) == (0, 0, 0)
    assert figures.protocol == "10 neighbours a query"
    assert set(figures.as_log()) == {
        "micro_ap",
        "macro_ap",
        "recall_at_p90",
        "threshold_at_p90",
        "recall_at_1",
        "recall_at_10",
    }


def test_hopeless_descriptors() -> None:
    references = named("R", unit(50, seed=0))
    queries, pairs = copies(20, references, noise=0.0)
    queries = Descriptors(queries.ids, -in_memory(queries.vectors))
    figures = evaluate_descriptors(queries, references, GroundTruth(pairs, None)).figures
    assert figures.micro_ap == figures.recall_at_10 == figures.recall_at_p90 == 0.0
    assert figures.threshold_at_p90 == math.inf
    assert figures.as_json()["threshold_at_p90"] is None
    assert figures.as_json()["micro_ap"] == 0.0


def test_a_collapsed_network_gains_nothing_from_ties() -> None:
    same = np.tile(unit(1, seed=0), (20, 1))
    truth = GroundTruth(frozenset({("Q000", "R000"), ("Q001", "R001")}), None)
    figures = evaluate_descriptors(named("Q", same), named("R", same), truth).figures
    # 200 tied pairs, of which the at most two right ones stand last
    assert figures.micro_ap <= (1 / 199 + 2 / 200) / 2 + 1e-12
    assert figures.recall_at_1 == 0.0


def test_queries_the_truth_does_not_list_are_left_out_and_counted() -> None:
    references = named("R", unit(50, seed=0))
    queries, pairs = copies(20, references, noise=1.0)
    listed = frozenset(queries.ids[:15])
    got = evaluate_descriptors(queries, references, GroundTruth(pairs, listed), device="cpu")
    shorter = Descriptors(queries.ids[:15], queries.vectors[:15])
    expected = evaluate_descriptors(shorter, references, GroundTruth(pairs, None), device="cpu")
    assert got.figures.unlisted_queries == 5
    assert got.figures.queries == 15
    assert got.figures.micro_ap == pytest.approx(expected.figures.micro_ap)


def test_pairs_without_a_descriptor_count_as_missed() -> None:
    references = named("R", unit(50, seed=0))
    queries, pairs = copies(20, references, noise=0.0)
    more = pairs | {("Q990", "R001"), ("Q011", "R990")}  # a missing query, a missing reference
    listed = frozenset(queries.ids) | {"Q990", "Q991"}
    got = evaluate_descriptors(queries, references, GroundTruth(more, listed))
    assert got.figures.true_pairs == 12
    assert got.figures.missing_pairs == 2
    assert got.figures.missing_queries == 2
    assert got.figures.micro_ap == pytest.approx(10 / 12)
    assert got.figures.recall_at_1 == pytest.approx(10 / 12)
    assert micro_ap_interval(got.candidates, samples=10).estimate == pytest.approx(10 / 12)


def test_the_order_of_the_pictures_does_not_matter() -> None:
    references = named("R", unit(50, seed=0))
    queries, pairs = copies(20, references, noise=1.0)
    turned = Descriptors(queries.ids[::-1], in_memory(queries.vectors)[::-1])
    truth = GroundTruth(pairs, None)
    a = evaluate_descriptors(queries, references, truth, device="cpu")
    b = evaluate_descriptors(turned, references, truth, device="cpu")
    assert a.figures.micro_ap == pytest.approx(b.figures.micro_ap)
    difference = paired_difference(a.candidates, b.candidates, samples=20)
    assert (difference.low, difference.high) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_fewer_references_than_neighbours() -> None:
    references = named("R", unit(4, seed=0))
    queries, pairs = copies(6, references, noise=0.0)
    got = evaluate_descriptors(queries, references, GroundTruth(pairs, None))
    assert len(got.candidates.scores) == 6 * 4
    assert got.figures.recall_at_10 == 1.0


class SlicesOnly:
    """Rows that are read by slices alone, as those on disk."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.rows = rows
        self.shape = rows.shape

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        return self.rows[rows]


def test_rows_on_disk_are_read_by_slices() -> None:
    references = named("R", unit(60, seed=0))
    queries, pairs = copies(20, references, noise=1.0)
    rows = in_memory(references.vectors)
    parts = Stacked([SlicesOnly(rows[:25]), SlicesOnly(rows[25:])])
    lazy = Descriptors(references.ids, parts)
    listed = frozenset(queries.ids[3:])
    truth = GroundTruth(frozenset(pair for pair in pairs if pair[0] in listed), listed)
    for protocol in PROTOCOLS:
        got = evaluate_descriptors(queries, lazy, truth, protocol=protocol)
        expected = evaluate_descriptors(queries, references, truth, protocol=protocol)
        assert got.figures == expected.figures


def test_descriptors_of_two_models_are_refused_and_of_an_unknown_one_warned_of() -> None:
    references = named("R", unit(20, seed=0))
    queries, pairs = copies(10, references, noise=0.0)
    mine = Descriptors(queries.ids, queries.vectors, Origin("model-a"))
    other = Descriptors(references.ids, references.vectors, Origin("model-b"))
    with pytest.raises(UserError, match="model-a and model-b"):
        evaluate_descriptors(mine, other, GroundTruth(pairs))
    (warning,) = evaluate_descriptors(mine, references, GroundTruth(pairs)).warnings
    assert "references do not say which model" in warning
    assert evaluate_descriptors(queries, references, GroundTruth(pairs)).warnings == ()


def test_refuses() -> None:
    references = named("R", unit(20, seed=0))
    queries, pairs = copies(6, references, noise=0.0)
    with pytest.raises(UserError, match="holds no"):
        evaluate_descriptors(queries, references, GroundTruth(frozenset(), None))
    other = GroundTruth(frozenset({("X", "R000")}), frozenset({"X"}))
    with pytest.raises(UserError, match="none of the 6 queries"):
        evaluate_descriptors(queries, references, other)
    with pytest.raises(UserError, match="24 dimensions and references 8"):
        evaluate_descriptors(queries, named("R", unit(9, seed=0, dims=8)), GroundTruth(pairs))
    with pytest.raises(ValueError, match="k=5"):
        evaluate_descriptors(queries, references, GroundTruth(pairs, None), k=5)
    with pytest.raises(ValueError, match="repeated"):
        Descriptors(["a", "a"], unit(2, seed=0))
    with pytest.raises(ValueError, match="expected n"):
        Descriptors(["a"], unit(2, seed=0))
