from collections.abc import Iterator

import numpy as np
import pytest

from sscd.evaluation.bootstrap import (
    Figure,
    mean_difference,
    micro_ap_interval,
    paired_difference,
    recall_at_p90_interval,
)
from sscd.evaluation.candidates import Candidates
from sscd.evaluation.marking import mark_correct
from sscd.evaluation.metrics import micro_ap, precision_recall, recall_at_precision
from tests.evaluation.judged_sets import judged_system


def random_candidates(
    *, queries: int, per_query: int, seed: int, skill: float, levels: int = 5
) -> Candidates:
    """Even queries have the true pair (q, q); scores are few levels, so many tie."""
    rng = np.random.default_rng(seed)
    query = np.repeat(np.arange(queries), per_query)
    reference = query + np.tile(np.arange(per_query), queries)
    truth = np.array([[q, q] for q in range(0, queries, 2)])
    correct = mark_correct(query, reference, truth=truth)
    noise = rng.standard_normal(len(query))
    return Candidates(
        query_ids=tuple(f"Q{q:05d}" for q in range(queries)),
        query=query,
        reference=reference,
        scores=np.round((noise + skill * correct) * levels) / levels,
        correct=correct,
        true_counts=np.bincount(truth[:, 0], minlength=queries),
    )


def listed_draws(
    candidates: Candidates, *, samples: int, seed: int, figure: Figure = "micro_ap"
) -> list[float]:
    """The plain implementation: write every resample out as a list of renamed queries."""
    rng = np.random.default_rng(seed)
    total = len(candidates.query_ids)
    values = []
    for _ in range(samples):
        drawn = rng.integers(total, size=total)
        query: list[int] = []
        reference: list[int] = []
        scores: list[float] = []
        truth: list[tuple[int, int]] = []
        for name, original in enumerate(drawn):
            for i in np.flatnonzero(candidates.query == original):
                query.append(name)
                reference.append(int(candidates.reference[i]))
                scores.append(float(candidates.scores[i]))
            if candidates.true_counts[original]:
                truth.append((name, int(original)))
        arrays = (np.array(query), np.array(reference))
        correct = mark_correct(*arrays, truth=np.array(truth))
        curve = precision_recall(np.array(scores), correct, true_pairs=len(truth))
        whole = curve.average_precision()
        values.append(whole if figure == "micro_ap" else recall_at_precision(curve, 0.9)[0])
    return values


def test_equals_resamples_written_out() -> None:
    for seed in range(5):
        candidates = random_candidates(queries=20, per_query=4, seed=seed, skill=1.0)
        draws = listed_draws(candidates, samples=30, seed=seed)
        got = micro_ap_interval(candidates, samples=30, seed=seed, confidence=0.9)
        low, high = np.quantile(draws, [0.05, 0.95])
        assert (got.low, got.high) == pytest.approx((low, high), abs=1e-12)
        assert got.samples == 30


def test_recall_at_p90_equals_resamples_written_out() -> None:
    for seed in range(5):
        # Skilful enough for 90 % precision, with enough ties to stand in its way.
        candidates = random_candidates(queries=20, per_query=4, seed=seed, skill=3.0, levels=2)
        draws = listed_draws(candidates, samples=30, seed=seed, figure="recall_at_p90")
        assert 0 < np.mean(draws) < 1
        got = recall_at_p90_interval(candidates, samples=30, seed=seed, confidence=0.9)
        low, high = np.quantile(draws, [0.05, 0.95])
        assert (got.low, got.high) == pytest.approx((low, high), abs=1e-12)
        assert got.estimate == recall_at_precision(candidates.curve(), 0.9)[0]


def test_the_estimate_is_the_micro_ap_of_the_list() -> None:
    candidates = random_candidates(queries=30, per_query=5, seed=0, skill=1.0)
    truth = np.array([[q, q] for q in range(0, 30, 2)])
    expected = micro_ap(candidates.query, candidates.reference, candidates.scores, truth=truth)
    got = micro_ap_interval(candidates, samples=50)
    assert got.estimate == pytest.approx(expected, abs=1e-12)
    assert got.low <= got.estimate <= got.high


def test_difference_pairs_the_resamples() -> None:
    a = random_candidates(queries=20, per_query=4, seed=1, skill=2.0)
    b = random_candidates(queries=20, per_query=4, seed=2, skill=0.5)
    draws = np.subtract(listed_draws(a, samples=40, seed=3), listed_draws(b, samples=40, seed=3))
    got = paired_difference(a, b, samples=40, seed=3)
    assert (got.low, got.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
    assert got.estimate == pytest.approx(
        micro_ap_interval(a, samples=1).estimate - micro_ap_interval(b, samples=1).estimate
    )


def test_difference_in_recall_pairs_the_resamples() -> None:
    a = random_candidates(queries=20, per_query=4, seed=1, skill=4.0)
    b = random_candidates(queries=20, per_query=4, seed=2, skill=2.0)
    draws = np.subtract(
        listed_draws(a, samples=40, seed=3, figure="recall_at_p90"),
        listed_draws(b, samples=40, seed=3, figure="recall_at_p90"),
    )
    got = paired_difference(a, b, figure="recall_at_p90", samples=40, seed=3)
    assert (got.low, got.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
    assert got.estimate == pytest.approx(
        recall_at_precision(a.curve(), 0.9)[0] - recall_at_precision(b.curve(), 0.9)[0]
    )


def test_means_over_seeds_equal_resamples_written_out() -> None:
    ours = [random_candidates(queries=12, per_query=3, seed=seed, skill=2.0) for seed in (0, 1)]
    theirs = [
        random_candidates(queries=12, per_query=3, seed=seed, skill=0.5) for seed in (2, 3, 4)
    ]
    draws = [np.array(listed_draws(one, samples=50, seed=7)) for one in [*ours, *theirs]]
    expected = (draws[0] + draws[1]) / 2 - (draws[2] + draws[3] + draws[4]) / 3
    told = mean_difference(ours, theirs, samples=50, seed=7)
    assert (told.low, told.high) == pytest.approx(tuple(np.quantile(expected, [0.025, 0.975])))
    own = [one.curve().average_precision() for one in [*ours, *theirs]]
    assert told.estimate == pytest.approx(sum(own[:2]) / 2 - sum(own[2:]) / 3)


def test_a_mean_of_one_is_its_own_figure() -> None:
    a = random_candidates(queries=12, per_query=3, seed=0, skill=1.0)
    b = random_candidates(queries=12, per_query=3, seed=1, skill=1.0)
    alone, apart = mean_difference([a], samples=40), mean_difference([a], [b], samples=40)
    for told, expected in (
        (alone, micro_ap_interval(a, samples=40)),
        (apart, paired_difference(a, b, samples=40)),
    ):
        ends = (told.estimate, told.low, told.high)
        assert ends == pytest.approx((expected.estimate, expected.low, expected.high))


def test_a_mean_of_nothing_or_of_other_queries_is_refused() -> None:
    a = random_candidates(queries=12, per_query=3, seed=0, skill=1.0)
    with pytest.raises(ValueError, match="ours got no candidates"):
        mean_difference([])
    other = random_candidates(queries=10, per_query=3, seed=0, skill=1.0)
    with pytest.raises(ValueError, match="different queries"):
        mean_difference([a], [other])


def test_a_system_does_not_differ_from_itself() -> None:
    a = random_candidates(queries=20, per_query=4, seed=1, skill=2.0)
    got = paired_difference(a, a, samples=20)
    assert (got.estimate, got.low, got.high) == (0.0, 0.0, 0.0)


def test_a_clearly_better_system_has_its_interval_above_zero() -> None:
    a = random_candidates(queries=200, per_query=10, seed=1, skill=4.0)
    b = random_candidates(queries=200, per_query=10, seed=2, skill=0.0)
    assert paired_difference(a, b, samples=200).low > 0
    assert paired_difference(b, a, samples=200).high < 0


def test_the_seed_decides() -> None:
    a = random_candidates(queries=40, per_query=4, seed=1, skill=1.0)
    first = micro_ap_interval(a, samples=50, seed=1)
    assert first == micro_ap_interval(a, samples=50, seed=1)
    assert first != micro_ap_interval(a, samples=50, seed=2)


def test_resamples_without_a_copy_are_counted_out() -> None:
    one = Candidates(
        query_ids=("Q0", "Q1"),
        query=np.array([0, 1]),
        reference=np.array([0, 0]),
        scores=np.array([1.0, 0.5]),
        correct=np.array([True, False]),
        true_counts=np.array([1, 0]),
    )
    got = micro_ap_interval(one, samples=200)
    assert 100 < got.samples < 190  # a quarter of the resamples draw Q1 twice
    assert (got.low, got.high) == (1.0, 1.0)


def test_interval_covers_about_as_often_as_it_says() -> None:
    big = random_candidates(queries=4000, per_query=2, seed=9, skill=1.0, levels=1000)
    population = micro_ap_interval(big, samples=1).estimate
    covered = 0
    for seed in range(100):
        small = random_candidates(queries=150, per_query=2, seed=seed, skill=1.0, levels=1000)
        got = micro_ap_interval(small, samples=200, seed=seed)
        covered += got.low <= population <= got.high
    assert 85 <= covered <= 100


def test_refuses() -> None:
    a = random_candidates(queries=10, per_query=2, seed=1, skill=1.0)
    b = random_candidates(queries=12, per_query=2, seed=1, skill=1.0)
    with pytest.raises(ValueError, match="different queries"):
        paired_difference(a, b)
    with pytest.raises(ValueError, match="samples"):
        micro_ap_interval(a, samples=0)
    with pytest.raises(ValueError, match="confidence"):
        micro_ap_interval(a, samples=2, confidence=95)
    with pytest.raises(ValueError, match="equal lengths"):
        Candidates(a.query_ids, a.query[1:], a.reference, a.scores, a.correct, a.true_counts)


def test_resamples_can_be_watched() -> None:
    candidates = judged_system().evaluation.candidates
    seen: list[int] = []

    def watch(draws: range) -> Iterator[int]:
        for draw in draws:
            seen.append(draw)
            yield draw

    watched = micro_ap_interval(candidates, samples=30, watch=watch)
    assert seen == list(range(30))
    assert watched == micro_ap_interval(candidates, samples=30)
