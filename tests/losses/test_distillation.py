"""Relational distillation against loops, by hand, and its gradient."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.distillation import relational_loss


def random_rows(seed: int, count: int, dims: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(count, dims, generator=generator, dtype=torch.float64)
    return functional.normalize(z, dim=1)


def softmax(row: Tensor, *, without: int, temperature: float) -> list[float]:
    others = [math.exp(float(s) / temperature) for j, s in enumerate(row) if j != without]
    return [value / sum(others) for value in others]


def test_equals_the_definition() -> None:
    own, given = random_rows(0, 9, 4), random_rows(1, 9, 7)
    losses = relational_loss(own[2:6], own, given[2:6], given, first_anchor=2, temperature=0.3)
    for i, loss in zip(range(2, 6), losses.tolist(), strict=True):
        p = softmax(given[i] @ given.T, without=i, temperature=0.3)
        q = softmax(own[i] @ own.T, without=i, temperature=0.3)
        expected = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
        assert loss == pytest.approx(expected)


def test_hand_computed() -> None:
    # To its two others the teacher is as near to one as to the other; the student's cosines are 1
    # and 0: ½ log(½ (1 + e)/e) + ½ log(½ (1 + e)).
    given = torch.eye(3)
    own = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    losses = relational_loss(own[:1], own, given[:1], given, temperature=1.0)
    assert float(losses) == pytest.approx(math.log((1 + math.e) / 2) - 0.5)


def test_a_rotated_teacher_is_matched() -> None:
    own = random_rows(0, 9, 4)
    turn, _ = torch.linalg.qr(random_rows(3, 4, 4))
    losses = relational_loss(own, own, own @ turn, own @ turn)
    torch.testing.assert_close(losses, torch.zeros_like(losses))
    other = random_rows(1, 9, 4)
    assert float(relational_loss(own, own, other, other).mean()) > 1


def test_gradient() -> None:
    given = random_rows(1, 6, 5)

    def loss(x: Tensor) -> Tensor:
        z = functional.normalize(x, dim=1)
        return relational_loss(z, z, given, given, temperature=0.4).sum()

    assert torch.autograd.gradcheck(loss, (random_rows(0, 6, 3).requires_grad_(),))


def test_no_gradient_reaches_the_teacher() -> None:
    own, given = random_rows(0, 4, 3).requires_grad_(), random_rows(1, 4, 3).requires_grad_()
    relational_loss(own, own, given, given).sum().backward()  # type: ignore[no-untyped-call]
    assert given.grad is None
    assert own.grad is not None
    assert own.grad.any()


def test_one_row_has_nothing_to_be_compared_with() -> None:
    own = torch.ones(1, 1, requires_grad=True)
    loss = relational_loss(own, own, own, own).sum()
    (gradient,) = torch.autograd.grad(loss, own)
    assert (float(loss.detach()), float(gradient)) == (0.0, 0.0)


def test_half_precision_is_computed_in_float32() -> None:
    own, given = random_rows(0, 9, 4).bfloat16(), random_rows(1, 9, 7).bfloat16()
    losses = relational_loss(own, own, given, given)
    expected = relational_loss(own.float(), own.float(), given.float(), given.float())
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = relational_loss(own, own, given, given)
    torch.testing.assert_close(cast, expected)


def test_wrong_temperature() -> None:
    own = torch.eye(2)
    with pytest.raises(ValueError, match="temperature got 0"):
        relational_loss(own, own, own, own, temperature=0)
