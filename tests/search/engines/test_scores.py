import pytest
import torch

from sscd.search.engines import scores
from sscd.search.engines.scores import pair_scores
from sscd.search.options import Metric


@pytest.mark.parametrize("metric", ["l2", "inner_product"])
def test_equals_the_definition_in_float64(metric: Metric) -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(30, 256, generator=generator)
    references = queries[:20] + 1e-3 * torch.randn(20, 256, generator=generator)
    rows = torch.arange(30).repeat_interleave(20)
    columns = torch.arange(20).repeat(30)
    got = pair_scores(queries, references, (rows, columns), metric=metric)
    q, r = queries.double()[rows], references.double()[columns]
    expected = (q * r).sum(1) if metric == "inner_product" else -(q - r).square().sum(1)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.double(), expected, rtol=1e-6, atol=1e-5)
    if metric == "l2":  # no cancellation: near pairs keep all their digits
        torch.testing.assert_close(got.double(), expected, rtol=1e-6, atol=0)


def test_a_score_does_not_depend_on_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = torch.randn(40, 100, generator=torch.Generator().manual_seed(1))
    pairs = torch.randint(40, (2, 500), generator=torch.Generator().manual_seed(2))
    whole = pair_scores(queries, queries, (pairs[0], pairs[1]), metric="l2")
    monkeypatch.setitem(scores._CHUNK, "cpu", 7)
    assert torch.equal(pair_scores(queries, queries, (pairs[0], pairs[1]), metric="l2"), whole)
    turned = pair_scores(queries, queries, (pairs[1], pairs[0]), metric="l2")
    assert torch.equal(turned, whole)


@pytest.mark.parametrize("metric", ["l2", "inner_product"])
def test_zero_has_one_sign(metric: Metric) -> None:
    zero, first = torch.zeros(1, dtype=torch.int64), torch.zeros(1, 3)
    got = pair_scores(-first, first, (zero, zero), metric=metric)
    assert not got.signbit().any()
