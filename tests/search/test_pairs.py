from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search.engines import capped, streams, sweep
from sscd.search.engines.screen import Rows, Screen
from sscd.search.engines.shortlist import Shortlist
from sscd.search.pairs import Pairs, best_pairs, best_pairs_within, merge_pairs
from sscd.vectors import Stacked

Metric = Literal["l2", "inner_product"]
METRICS: list[Metric] = ["l2", "inner_product"]
CPU = torch.device("cpu")
Floats = NDArray[np.float32]


def vectors(count: int, *, seed: int, dims: int = 16) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)


def naive(
    queries: Floats, references: Floats, *, limit: int, metric: Metric, within: bool = False
) -> list[tuple[float, int, int]]:
    """(score, query, reference) of the best pairs, by sorting all of them in float64."""
    q, r = queries.astype(np.float64), references.astype(np.float64)
    scores = q @ r.T if metric == "inner_product" else -np.square(q[:, None] - r[None]).sum(axis=2)
    rows = [
        (-float(score), i, j) for (i, j), score in np.ndenumerate(scores) if not within or i < j
    ]
    return [(-score, i, j) for score, i, j in sorted(rows)[:limit]]


def listed(pairs: Pairs) -> list[tuple[float, int, int]]:
    return list(
        zip(pairs.scores.tolist(), pairs.query.tolist(), pairs.reference.tolist(), strict=True)
    )


def test_equals_a_naive_search_with_many_ties(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 small sets of whole numbers, whose scores are exact, in small blocks on 1-3 devices."""
    rng = np.random.default_rng(0)
    for case in range(500):
        count, others, dims = rng.integers(1, (12, 40, 6))
        queries = rng.integers(-2, 3, (count, dims)).astype(np.float32)
        references = rng.integers(-2, 3, (others, dims)).astype(np.float32)
        limit, metric = int(rng.integers(1, count * others + 2)), METRICS[case % 2]
        monkeypatch.setattr(streams, "BLOCK", int(rng.integers(8, 40)))
        monkeypatch.setitem(sweep.TILE, "cpu", tuple(rng.integers((2, 6), (9, 40)).tolist()))
        within = case % 4 < 2
        asked = references if within else queries
        found = capped.search_pairs(
            asked,
            references,
            limit=limit,
            metric=metric,
            floor=-np.inf,
            within=within,
            devices=[CPU] * int(rng.integers(1, 4)),
        )
        scores, numbers = found.result()
        got = Pairs(numbers // others, numbers % others, scores)
        assert listed(got) == naive(asked, references, limit=limit, metric=metric, within=within)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("limit", [1, 100, 5000, 60_000])
def test_equals_the_definition(metric: Metric, limit: int) -> None:
    queries, references = vectors(60, seed=0), vectors(900, seed=1)
    got = best_pairs(queries, references, limit=limit, metric=metric, device="cpu")
    expected = naive(queries, references, limit=limit, metric=metric)
    assert got.scores.dtype == np.float32
    assert got.query.dtype == got.reference.dtype == np.int64
    np.testing.assert_allclose(got.scores, [score for score, _, _ in expected], atol=1e-5)
    clear = {row[1:] for row in expected if row[0] > expected[-1][0] + 1e-5}
    assert clear <= {row[1:] for row in listed(got)}
    assert len({row[1:] for row in listed(got)}) == len(expected)


def test_l2_is_minus_the_squared_distance() -> None:
    got = best_pairs(
        np.array([[0.0, 0.0]], np.float32), np.array([[3.0, 4.0], [1.0, 0.0]], np.float32), limit=9
    )
    assert listed(got) == [(-1.0, 0, 1), (-25.0, 0, 0)]


def test_within_one_set_every_pair_stands_once() -> None:
    same = np.array([[0.0], [2.0], [3.0]], np.float32)
    got = best_pairs_within(same, limit=10, device="cpu")
    assert listed(got) == [(-1.0, 1, 2), (-4.0, 0, 1), (-9.0, 0, 2)]


def test_within_one_set_lower_tiles_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sweep.TILE, "cpu", (10, 10))
    seen: list[tuple[int, int]] = []
    screened = Screen.candidates

    def note(self: Screen, queries: Rows, references: Rows, bound: torch.Tensor) -> object:
        seen.append((queries.start, references.start))
        return screened(self, queries, references, bound)

    monkeypatch.setattr(Screen, "candidates", note)
    best_pairs_within(vectors(40, seed=2), limit=5, device="cpu")
    tiles = {(q, r) for q in range(0, 40, 10) for r in range(0, 40, 10) if q <= r}
    assert set(seen) == tiles


@pytest.mark.parametrize("within", [False, True])
def test_a_floor_leaves_lower_pairs_out(within: bool) -> None:
    queries, references = vectors(30, seed=3), vectors(200, seed=4)
    if within:
        everything = best_pairs_within(references, limit=400, device="cpu")
    else:
        everything = best_pairs(queries, references, limit=400, device="cpu")
    floor = float(everything.scores[100])
    if within:
        got = best_pairs_within(references, limit=400, device="cpu", floor=floor)
    else:
        got = best_pairs(queries, references, limit=400, device="cpu", floor=floor)
    assert listed(got) == listed(everything)[:101]


@pytest.mark.parametrize("guess", [-np.inf, -30.0, 0.0, np.inf])
def test_no_guess_changes_the_result(guess: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that nothing reaches, or that everything does."""
    queries, references = vectors(30, seed=5), vectors(300, seed=6)
    expected = best_pairs(queries, references, limit=700, device="cpu")
    monkeypatch.setattr(capped, "guess_threshold", lambda *_, **__: guess)
    assert listed(best_pairs(queries, references, limit=700, device="cpu")) == listed(expected)


@pytest.mark.parametrize("kind", ["equal", "rising"])
def test_candidates_in_memory_are_bounded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all scores are equal, and where each reference beats all before it."""
    queries, references = np.ones((20, 4), np.float32), np.ones((3000, 4), np.float32)
    if kind == "rising":
        references *= np.arange(1, 3001, dtype=np.float32)[:, None]
    monkeypatch.setattr(streams, "BLOCK", 500)
    monkeypatch.setitem(sweep.TILE, "cpu", (7, 300))
    shortlist = Shortlist(100, room=50)
    capped.fill(
        shortlist,
        queries,
        references,
        metric="inner_product",
        within=False,
        devices=[CPU, CPU],
        jobs=2,
    )
    scores, numbers = shortlist.result()
    assert shortlist.capacity == shortlist.peak == 150
    expected = naive(queries, references, limit=100, metric="inner_product")
    assert scores.tolist() == [row[0] for row in expected]
    assert numbers.tolist() == [query * 3000 + reference for _, query, reference in expected]


def test_blocks_and_files_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, references = vectors(50, seed=7), vectors(300, seed=8)
    expected = best_pairs(queries, references, limit=500, device="cpu")
    monkeypatch.setattr(streams, "BLOCK", 32)  # queries come in two blocks as well
    stacked = Stacked([references[:100], references[100:]])
    got = best_pairs(Stacked([queries]), stacked, limit=500, device="cpu")
    assert listed(got) == listed(expected)
    halves = Pairs(got.query[::2], got.reference[::2], got.scores[::2])
    rest = Pairs(got.query[1::2], got.reference[1::2], got.scores[1::2])
    assert listed(merge_pairs([rest, halves], limit=400)) == listed(expected)[:400]


def test_merging_settles_ties_as_the_search_does() -> None:
    one = Pairs(np.array([1, 0]), np.array([2, 9]), np.array([5, 3], np.float32))
    two = Pairs(np.array([1, 0]), np.array([1, 8]), np.array([5, 3], np.float32))
    assert listed(merge_pairs([one, two], limit=3)) == [(5, 1, 1), (5, 1, 2), (3, 0, 8)]
    assert len(merge_pairs([], limit=3).scores) == 0


def test_nothing_to_pair() -> None:
    none, some = vectors(0, seed=0), vectors(4, seed=0)
    for got in (
        best_pairs(none, some, limit=3),
        best_pairs(some, none, limit=3),
        best_pairs_within(some[:1], limit=3),
        best_pairs_within(none, limit=3),
    ):
        assert len(got.query) == len(got.reference) == len(got.scores) == 0


def test_refuses_what_cannot_be_searched() -> None:
    bad = vectors(9, seed=9)
    bad[5, 2] = np.nan
    with pytest.raises(ValueError, match="row 5 of references"):
        best_pairs(vectors(2, seed=0), bad, limit=100)
    with pytest.raises(ValueError, match="row 5 of vectors"):
        best_pairs_within(bad, limit=1)
    with pytest.raises(ValueError, match="one D"):
        best_pairs(vectors(2, seed=0, dims=3), vectors(2, seed=0, dims=4), limit=1)
    with pytest.raises(ValueError, match="limit=0"):
        best_pairs(vectors(2, seed=0), vectors(2, seed=0), limit=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is present")
def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(UserError, match="device cuda"):
        best_pairs(vectors(2, seed=0), vectors(2, seed=0), device="cuda")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_equals_cpu(metric: Metric) -> None:
    queries, references = vectors(70, seed=16), vectors(70_000, seed=17)
    for limit in (1000, 50_000):
        cpu = best_pairs(queries, references, limit=limit, metric=metric, device="cpu")
        gpu = best_pairs(queries, references, limit=limit, metric=metric, device="cuda")
        np.testing.assert_allclose(gpu.scores, cpu.scores, atol=1e-5)
        assert len(set(listed(gpu)) & set(listed(cpu))) > 0.999 * limit


def test_distances_that_overflow_are_refused() -> None:
    far = np.array([[1.8e19]], np.float32)
    with pytest.raises(ValueError, match="row 0 of"):
        best_pairs(far, -far, limit=1, device="cpu")
