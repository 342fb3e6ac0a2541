"""The coding rate against eigenvalues, by hand, and its gradient."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.log_det import log_det_loss


def random_rows(count: int, dims: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(count, dims, generator=generator, dtype=torch.float64)
    return functional.normalize(z, dim=1)


@pytest.mark.parametrize(("count", "dims"), [(20, 6), (3, 6), (1, 4)])
def test_equals_the_definition(count: int, dims: int) -> None:
    z = random_rows(count, dims)
    values = torch.linalg.eigvalsh(z.T @ z) * dims / (count * 0.5)
    expected = -sum(math.log(1 + float(value)) for value in values) / (2 * dims)
    assert float(log_det_loss(z)) == pytest.approx(expected)


def test_hand_computed() -> None:
    # All alike: one eigenvalue of M in D = 4 dimensions, ½ log(1 + 4/0.5) / 4.
    alike = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(5, 1)
    assert float(log_det_loss(alike)) == pytest.approx(-math.log(9.0) / 8)
    even = torch.cat([torch.eye(4), -torch.eye(4)])
    assert float(log_det_loss(even)) == pytest.approx(-math.log(3.0) / 2)
    assert float(log_det_loss(even)) < float(log_det_loss(alike))


def test_rows_of_zeros_count_for_nothing() -> None:
    z = random_rows(7, 5)
    with_empty = torch.cat([z, torch.zeros(3, 5, dtype=torch.float64)])
    torch.testing.assert_close(log_det_loss(with_empty), log_det_loss(z))
    assert float(log_det_loss(torch.zeros(3, 5))) == 0


def test_gradient() -> None:
    def loss(x: Tensor) -> Tensor:
        return log_det_loss(functional.normalize(x, dim=1), squared_error=0.3)

    assert torch.autograd.gradcheck(loss, (random_rows(5, 4).requires_grad_(),))


def test_collapsed_rows_are_pushed_apart() -> None:
    z = torch.tensor([[1.0, 1e-3], [1.0, -1e-3]], requires_grad=True)
    log_det_loss(z).backward()  # type: ignore[no-untyped-call]
    assert z.grad is not None
    assert (z.grad[:, 1] * z.detach()[:, 1] < 0).all()
