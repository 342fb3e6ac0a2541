"""Poolings by hand: other exponents at inference, and attention as HOW writes it down."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.models.pooling import AttentionPool, GeM, attention_of, learnt_exponents, smoothed


def smoothed_by_hand(activations: Tensor) -> Tensor:
    """Each cell's mean over the cells of its 3×3 square that exist."""
    result = torch.zeros_like(activations)
    height, width = activations.shape[-2:]
    for row in range(height):
        for column in range(width):
            near = activations[:, :, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            result[:, :, row, column] = near.mean(dim=(2, 3))
    return result


def test_gem_has_another_exponent_at_inference() -> None:
    x = torch.rand(2, 3, 4, 5) + 0.1
    pool = GeM(3.0, p_inference=7.0)
    torch.testing.assert_close(pool.train()(x), GeM(3.0)(x))
    torch.testing.assert_close(pool.eval()(x), GeM(7.0)(x))
    torch.testing.assert_close(GeM(3.0).eval()(x), GeM(3.0).train()(x))
    with pytest.raises(ValueError, match="exponent got -1"):
        GeM(3.0, p_inference=-1)


def test_smoothing_counts_the_cells_that_are_there() -> None:
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(smoothed(x), smoothed_by_hand(x))
    corner = torch.zeros(1, 1, 3, 3)
    corner[0, 0, 0, 0] = 12
    assert smoothed(corner)[0, 0].tolist() == [[3, 2, 0], [2, pytest.approx(12 / 9), 0], [0, 0, 0]]
    assert smoothed(torch.full((1, 1, 1, 1), 5.0)).item() == 5


def test_attention_is_the_norm_and_has_a_gradient_at_0() -> None:
    x = torch.tensor([3.0, -4.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    torch.testing.assert_close(attention_of(x), torch.full((1, 2, 2), 5.0))
    zero = torch.zeros(1, 2, 1, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(attention_of(zero).sum(), zero)
    assert torch.isfinite(gradient).all()


def test_pooling_then_head_is_the_sum_of_weighted_local_descriptors() -> None:
    x = torch.randn(3, 6, 4, 5).relu()
    head = torch.nn.Linear(6, 4)
    expected = torch.zeros(3, 4)
    for place in range(20):
        row, column = divmod(place, 5)
        local = head(smoothed_by_hand(x)[:, :, row, column])
        expected += local * x[:, :, row, column].norm(dim=1, keepdim=True)
    found = functional.normalize(head(AttentionPool()(x)), dim=1)
    torch.testing.assert_close(found, functional.normalize(expected, dim=1))


def test_attention_of_half_precision_does_not_overflow() -> None:
    x = torch.full((1, 64, 3, 3), 2000.0, dtype=torch.float16)
    pooled = AttentionPool()(x)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, torch.full((1, 64), 2000.0))


def test_a_learnt_exponent_has_the_gradient_of_the_naive_pooling() -> None:
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64) + 0.1
    pool = GeM(3.0, learnt=True)
    (grad,) = torch.autograd.grad(pool(x).sum(), [*pool.parameters()])
    step = 1e-4
    above, below = (float(GeM(3.0 + sign * step)(x).double().sum()) for sign in (1, -1))
    assert float(grad) == pytest.approx((above - below) / (2 * step), rel=1e-2)
    torch.testing.assert_close(pool.eval()(x), GeM(3.0)(x))
    assert learnt_exponents(pool) == [pool.p]
    assert learnt_exponents(GeM(3.0)) == []
    assert [*GeM(3.0).state_dict()] == []


@pytest.mark.parametrize("exponent", [3.0, 8.0, 20.0])
def test_a_learnt_exponent_has_a_gradient_where_a_channel_is_silent(exponent: float) -> None:
    x = torch.zeros(1, 2, 2, 2)
    x[0, 1] = torch.tensor([[0.5, 1.0], [1.5, 2.0]])
    x.requires_grad_()
    pool = GeM(exponent, learnt=True)
    pooled = pool(x)
    torch.testing.assert_close(pooled[:, 1], GeM(exponent)(x)[:, 1])
    assert pooled[0, 0] < 1e-1
    gradients = torch.autograd.grad(pooled.sum(), [x, *pool.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert gradients[1] > 0


def test_a_learnt_exponent_counts_as_1_below_and_comes_back() -> None:
    x = torch.rand(2, 3, 4, 5) + 0.1
    pool = GeM(1.0, learnt=True)
    with torch.no_grad():
        pool.state_dict()["p"].fill_(0.2)
    torch.testing.assert_close(pool(x), x.mean(dim=(2, 3)))
    assert pool.exponent == 1
    (grad,) = torch.autograd.grad(pool(x).sum(), [*pool.parameters()])
    assert float(grad) > 0, "a larger exponent gives a larger mean"
    torch.testing.assert_close(GeM(2.0, p_inference=5.0, learnt=True).eval()(x), GeM(5.0)(x))
