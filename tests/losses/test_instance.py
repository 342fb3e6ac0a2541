"""Each loss in blocks of anchors equals that of the whole matrix, with its learnt part."""

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from sscd.losses.blocks import contrastive_totals
from sscd.losses.instance import Block, Contrastive, InstanceLoss, Margin
from sscd.losses.rows import Remembered, Rows
from tests.losses.test_blocks import naive_relations, random_rows, remembered

LOSSES = (Contrastive(margin=1.5, negatives=2), Margin(most=2, seed=7, farthest=1.9))


def whole(
    loss: InstanceLoss, z: Tensor, rows: Rows, beta: Tensor | None, memory: Remembered | None
) -> tuple[Tensor, Tensor]:
    """The sum and the count from one block, with autograd's own graph."""
    contents = rows.contents
    related = naive_relations(contents, contents, first_anchor=0, memory=memory)
    old = memory.rows.descriptors if memory else z[:0]
    block = Block(z, z, old, z @ torch.cat([z, old]).T, related, first=0)
    losses, counts = loss.of(block, beta)
    return losses.sum(), counts.sum()


@pytest.mark.parametrize("block", [1, 5, 100])
@pytest.mark.parametrize("memory", [None, remembered(entropy=False)])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: str(loss.name))
def test_equals_the_whole_matrix(loss: InstanceLoss, memory: Remembered | None, block: int) -> None:
    rows = random_rows(1, 14)
    told = []
    for blocks in (True, False):
        z = rows.descriptors.clone().requires_grad_()
        beta = learnt_by(loss, torch.tensor(1.1, dtype=torch.float64))
        if blocks:
            own = Rows(z, rows.contents)
            totals = contrastive_totals(
                own, own, loss=loss, learnt=beta, memory=memory, block=block
            )
            total, count = totals.instance, totals.statistics[0]
        else:
            total, counted = whole(loss, z, rows, beta, memory)
            count = counted.double()
        leaves = [z] if beta is None else [z, beta]
        told.append((total.detach(), count, *torch.autograd.grad(0.7 * total, leaves)))
    assert float(told[0][0]) > 0
    for got, expected in zip(*told, strict=True):
        torch.testing.assert_close(got, expected)
    assert all(bool(gradient.any()) for gradient in told[0][2:])


def learnt_by(loss: InstanceLoss, beta: Tensor) -> Tensor | None:
    return beta.requires_grad_() if isinstance(loss, Margin) else None


def test_beta_stays_where_it_is_not_learnt() -> None:
    rows = random_rows(1, 14)
    sums = [
        contrastive_totals(rows, rows, loss=Margin(beta=beta, most=2)).instance
        for beta in (0.9, 1.1)
    ]
    given = contrastive_totals(
        rows, rows, loss=Margin(beta=0.9, most=2), learnt=torch.tensor(1.1, dtype=torch.float64)
    )
    assert float(sums[0]) != float(sums[1]) == float(given.instance)


def test_another_seed_draws_others() -> None:
    rows = random_rows(1, 14)
    sums = {
        float(contrastive_totals(rows, rows, loss=Margin(most=1, seed=seed)).instance)
        for seed in range(5)
    }
    assert len(sums) > 1


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: str(loss.name))
def test_nothing_is_read_on_the_host(loss: InstanceLoss) -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        z = torch.empty(12, 4).requires_grad_()
        beta = learnt_by(loss, torch.empty(()))
        rows = Rows(z, torch.empty(12, 2, dtype=torch.int64))
        totals = contrastive_totals(rows, rows, loss=loss, learnt=beta, block=5)
        leaves = [z] if beta is None else [z, beta]
        gradients = torch.autograd.grad(totals.instance, leaves)
    assert [gradient.shape for gradient in gradients] == [leaf.shape for leaf in leaves]
