import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.data.descriptors import Descriptors
from sscd.data.ground_truth import GroundTruth
from sscd.errors import UserError
from sscd.evaluation.bootstrap import micro_ap_interval, paired_difference
from sscd.evaluation.protocol import evaluate_descriptors


def unit(count: int, *, seed: int, dims: int = 24) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)
    result: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def named(prefix: str, vectors: NDArray[np.float32]) -> Descriptors:
    return Descriptors([f"{prefix}{i:03d}" for i in range(len(vectors))], vectors)


def copies(
    count: int, references: Descriptors, *, noise: float
) -> tuple[Descriptors, frozenset[tuple[str, str]]]:
    """The first half of the queries are noisy copies of the references of the same number."""
    vectors = unit(count, seed=1)
    half = count // 2
    vectors[:half] = references.vectors[:half] + noise * vectors[:half]
    queries = named("Q", vectors)
    return queries, frozenset((f"Q{i:03d}", f"R{i:03d}") for i in range(half))


def plain(
    queries: Descriptors, references: Descriptors, truth: frozenset[tuple[str, str]], k: int
) -> float:
    """The protocol as loops over lists."""
    listed = []
    for q, vector in zip(queries.ids, queries.vectors.astype(np.float64), strict=True):
        scores = -np.square(references.vectors - vector).sum(axis=1)
        for row in np.argsort(-scores)[:k]:
            listed.append((-scores[row], (q, references.ids[row]) in truth))
    found, total = 0, 0.0
    for place, (_, right) in enumerate(sorted(listed), start=1):
        found += right
        total += right * found / place
    return total / len(truth)


def test_equals_the_protocol_as_loops() -> None:
    references = named("R", unit(80, seed=0))
    for noise in (0.5, 1.5, 4.0):
        queries, pairs = copies(40, references, noise=noise)
        got = evaluate_descriptors(queries, references, GroundTruth(pairs, None), device="cpu")
        assert got.figures.micro_ap == pytest.approx(plain(queries, references, pairs, 10))


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
        "recall_at_p90",
        "threshold_at_p90",
        "recall_at_1",
        "recall_at_10",
    }


def test_hopeless_descriptors() -> None:
    references = named("R", unit(50, seed=0))
    queries, pairs = copies(20, references, noise=0.0)
    queries = Descriptors(queries.ids, -queries.vectors)
    figures = evaluate_descriptors(queries, references, GroundTruth(pairs, None)).figures
    assert figures.micro_ap == figures.recall_at_10 == figures.recall_at_p90 == 0.0
    assert figures.threshold_at_p90 == math.inf


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
    turned = Descriptors(queries.ids[::-1], queries.vectors[::-1])
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


def test_refuses() -> None:
    references = named("R", unit(20, seed=0))
    queries, pairs = copies(6, references, noise=0.0)
    with pytest.raises(UserError, match="holds no"):
        evaluate_descriptors(queries, references, GroundTruth(frozenset(), None))
    other = GroundTruth(frozenset({("X", "R000")}), frozenset({"X"}))
    with pytest.raises(UserError, match="none of the 6 queries"):
        evaluate_descriptors(queries, references, other)
    with pytest.raises(ValueError, match="k=5"):
        evaluate_descriptors(queries, references, GroundTruth(pairs, None), k=5)
    with pytest.raises(ValueError, match="repeated"):
        Descriptors(["a", "a"], unit(2, seed=0))
    with pytest.raises(ValueError, match="expected n"):
        Descriptors(["a"], unit(2, seed=0))
