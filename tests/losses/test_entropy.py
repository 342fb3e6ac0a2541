"""Differential entropy against loops, by hand, and its gradient."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.entropy import MIN_SQUARED_DISTANCE, entropy_loss
from sscd.losses.relations import relations


def rows_of(z: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
    return entropy_loss(z, z, z @ z.T, relations(content, content))


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_definition(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = functional.normalize(torch.randn(10, 6, generator=generator), dim=1)
    content = torch.randint(0, 4, (10, 1), generator=generator)
    losses, valid = rows_of(z, content)
    for i in range(10):
        others = [j for j in range(10) if content[i] != content[j]]
        assert bool(valid[i]) == bool(others)
        nearest = min(math.dist(z[i].tolist(), z[j].tolist()) for j in others)
        assert float(losses[i]) == pytest.approx(-math.log(nearest), abs=1e-4)


def test_hand_computed() -> None:
    # Orthogonal unit vectors are √2 apart, opposite ones 2: each row's nearest gives −log √2.
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    losses, _ = rows_of(z, torch.tensor([[0], [1], [2]]))
    torch.testing.assert_close(losses, torch.full((3,), -0.5 * math.log(2.0)))


def test_own_views_do_not_push() -> None:
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    losses, _ = rows_of(z, torch.tensor([[0], [0], [1]]))
    torch.testing.assert_close(losses[0], torch.tensor(-0.5 * math.log(2.0)))


def test_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    content = torch.tensor([[0], [0], [1], [1], [2], [3]])

    def loss(x: Tensor) -> Tensor:
        return rows_of(functional.normalize(x, dim=1), content)[0].sum()

    assert torch.autograd.gradcheck(loss, (start.requires_grad_(),))


def test_a_collapsed_pair_is_clamped_and_gets_no_push() -> None:
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    losses, valid = rows_of(z, torch.tensor([[0], [1]]))
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert valid.all()
    torch.testing.assert_close(losses, torch.full((2,), -0.5 * math.log(MIN_SQUARED_DISTANCE)))
    assert z.grad is not None
    assert z.grad.abs().sum() == 0


def test_without_another_picture_there_is_no_loss() -> None:
    losses, valid = rows_of(torch.eye(2), torch.tensor([[5], [5]]))
    assert losses.tolist() == [0.0, 0.0]
    assert not valid.any()
