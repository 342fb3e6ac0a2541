import pytest
import torch

from sscd.search.engines import screen
from sscd.search.engines.screen import Rows, Screen
from sscd.search.options import Metric

BOTH = (torch.bfloat16, torch.float32)
METRICS: list[Metric] = ["l2", "inner_product"]


def rows_of(kind: str, count: int, dims: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, dims, generator=generator)
    match kind:
        case "unit":
            return torch.nn.functional.normalize(rows)
        case "almost equal":
            return 1 + 1e-3 * rows
        case "of all lengths":
            return rows * 10 ** torch.linspace(-3, 3, count)[:, None]
        case "tiny":
            return rows * 1e-19
        case _:
            return rows.clamp(min=0) * 0  # nothing but zeros


def scores(queries: torch.Tensor, references: torch.Tensor, metric: Metric) -> torch.Tensor:
    q, r = queries.double(), references.double()
    return q @ r.T if metric == "inner_product" else -(q[:, None] - r[None]).square().sum(2)


@pytest.mark.parametrize("dtypes", [BOTH, BOTH[:1], BOTH[1:]])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["unit", "almost equal", "of all lengths", "tiny", "zeros"])
def test_no_pair_that_reaches_the_bound_is_missed(
    kind: str, metric: Metric, dtypes: tuple[torch.dtype, ...]
) -> None:
    for seed, (count, others, dims) in enumerate([(5, 33, 7), (17, 300, 64), (3, 1000, 257)]):
        vectors = rows_of(kind, count, dims, seed), rows_of(kind, others, dims, seed + 100)
        expected = scores(*vectors, metric)
        queries = Rows(vectors[0], start=0, side="queries", metric=metric)
        references = Rows(vectors[1], start=0, side="references", metric=metric)
        for share in (0.0, 0.5, 0.99):
            least = expected.quantile(share, dim=1).float()
            found = torch.zeros_like(expected, dtype=torch.bool)
            for pairs in Screen(dtypes).candidates(queries, references, queries.product_at(least)):
                assert not found[pairs].any()
                found[pairs] = True
            assert found[expected > least[:, None].double()].all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 3, 40, 500, 1000])
def test_the_k_best_are_among_the_candidates(k: int, metric: Metric) -> None:
    vectors = rows_of("unit", 9, 64, 0), rows_of("unit", 1000, 64, 1)
    queries = Rows(vectors[0], start=0, side="queries", metric=metric)
    references = Rows(vectors[1], start=0, side="references", metric=metric)
    bound = torch.full((9,), -torch.inf)
    found = torch.zeros(9, 1000, dtype=torch.bool)
    for pairs in Screen(BOTH).candidates(queries, references, bound, k=k):
        assert (pairs[0].diff() >= 0).all()
        found[pairs] = True
    best = scores(*vectors, metric).topk(k, dim=1).indices
    assert found.gather(1, best).all()
    assert found.sum() <= 9 * (1.5 * k + 20)


def test_few_others_are_candidates() -> None:
    vectors = rows_of("unit", 50, 256, 2), rows_of("unit", 5000, 256, 3)
    queries = Rows(vectors[0], start=0, side="queries", metric="l2")
    references = Rows(vectors[1], start=0, side="references", metric="l2")
    least = scores(*vectors, "l2").quantile(0.998, dim=1).float()
    pieces = Screen(BOTH).candidates(queries, references, queries.product_at(least))
    assert 500 <= sum(len(rows) for rows, _ in pieces) < 1000


def test_a_crowd_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_GROUPS", 4)
    same = torch.ones(6, 8)
    queries = Rows(same, start=0, side="queries", metric="l2")
    references = Rows(torch.ones(100, 8), start=0, side="references", metric="l2")
    pieces = list(Screen(BOTH).candidates(queries, references, queries.product_at(0.0)))
    assert all(len(rows) <= 4 * screen.GROUP for rows, _ in pieces)
    found = [torch.stack(piece).T.tolist() for piece in pieces]
    everything = {(q, r) for piece in found for q, r in piece}
    assert everything == {(q, r) for q in range(6) for r in range(100)}


# In bfloat16 1 + x/256 becomes 1 where x < 1, and 1 + 2/256 where 1 < x < 3. The minus ones keep
# the products small, so that their own rounding hides nothing.
def coarse(*steps: float) -> torch.Tensor:
    return torch.cat([1 + torch.tensor(steps).repeat(96 // len(steps)) / 256, -torch.ones(96)])


@pytest.mark.parametrize("side", [0, 1])
def test_rounding_that_all_goes_one_way_is_allowed_for(side: int) -> None:
    vectors = [torch.ones(1, 192), torch.ones(1, 192)]
    vectors[side] = coarse(0.9)[None]
    queries = Rows(vectors[0], start=0, side="queries", metric="inner_product")
    references = Rows(vectors[1], start=0, side="references", metric="inner_product")
    least = torch.tensor([96 * 0.9 / 256])
    found = Screen(BOTH[:1]).candidates(queries, references, least)
    assert sum(len(rows) for rows, _ in found) == 1


def test_the_k_best_are_found_though_rounding_hides_them() -> None:
    worse, better = coarse(1.02), coarse(*[0.99] * 31, 2.99)
    assert better.sum() > worse.sum()
    assert better.bfloat16().sum() < worse.bfloat16().sum()
    queries = Rows(torch.ones(1, 192), start=0, side="queries", metric="inner_product")
    references = Rows(
        torch.stack([worse, better]), start=0, side="references", metric="inner_product"
    )
    found = Screen(BOTH[:1]).candidates(queries, references, torch.tensor([-torch.inf]), k=1)
    assert 1 in torch.cat([columns for _, columns in found])
