"""Rows of two and four real gloo processes."""

import pytest
import torch

from sscd.training.ranks.gather import gather_rows, sum_over_ranks
from tests.training.gloo_ranks import of_ranks

WORLDS = pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])


@WORLDS
def test_rows_are_gathered_in_rank_order(world: int) -> None:
    rows = torch.arange(6.0).reshape(3, 2)
    expected = torch.cat([rows + 10 * rank for rank in range(world)])
    for told in of_ranks(world):
        assert torch.equal(told["gathered"]["rows"], expected)
        assert told["gathered"]["contents"].tolist() == [[rank] for rank in range(world)]


@WORLDS
def test_each_rank_gets_the_summed_gradient_of_its_rows(world: int) -> None:
    weight = torch.arange(6.0 * world).reshape(world, 3, 2)
    of_all = world * (world + 1) / 2  # 1 + … + W
    for rank, told in enumerate(of_ranks(world)):
        assert torch.equal(told["gathered"]["grad"], of_all * weight[rank])


@WORLDS
def test_the_backward_pass_scatters_what_it_reduces(world: int) -> None:
    for told in of_ranks(world):
        (forward,), (backward,) = told["gathered"]["forward"], told["gathered"]["backward"]
        assert "allgather" in forward or "all_gather" in forward
        assert "reduce_scatter" in backward


def test_one_process_gathers_its_own() -> None:
    rows = torch.ones(2, 3)
    assert gather_rows(rows) is rows
    total = sum_over_ranks(rows)
    assert torch.equal(total, rows)
    assert total.data_ptr() != rows.data_ptr()
