"""The contrastive loss against loops, against values worked out by hand, and its gradient."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.contrastive import contrastive_loss, distances_to
from sscd.losses.relations import Relations, relations
from tests.losses.test_info_nce import mixed_batch


def naive(z: Tensor, related: Relations, margin: float, negatives: int) -> list[float | None]:
    """The definition, with loops, in double precision."""
    rows: list[float | None] = []
    points = z.double().tolist()
    for i, own in enumerate(points):
        distances = [math.dist(own, other) for other in points]
        near = [d for j, d in enumerate(distances) if related.positive[i, j]]
        far = sorted(d for j, d in enumerate(distances) if related.negative[i, j])
        if not near or not far:
            rows.append(None)
            continue
        push = sum(0.5 * max(0.0, margin - d) ** 2 for d in far[:negatives])
        rows.append(sum(0.5 * d**2 for d in near) / len(near) + push)
    return rows


@pytest.mark.parametrize("negatives", [1, 3, 50])
@pytest.mark.parametrize("seed", range(6))
def test_equals_the_definition(seed: int, negatives: int) -> None:
    z, content = mixed_batch(seed)
    related = relations(content, content)
    losses, valid = contrastive_loss(z, z, z @ z.T, related, margin=1.3, negatives=negatives)
    expected = naive(z, related, 1.3, negatives)
    assert valid.tolist() == [row is not None for row in expected]
    torch.testing.assert_close(losses, torch.tensor([row or 0.0 for row in expected]))


def test_hand_computed() -> None:
    # 60° apart: d = 1, so ½·1² for the positive; a negative at 30° has d² = 2 − √3.
    angles = torch.tensor([0.0, math.pi / 3, math.pi / 6])
    z = torch.stack([angles.cos(), angles.sin()], dim=1)
    content = torch.tensor([[0], [0], [1]])
    related = relations(content, content)
    losses, valid = contrastive_loss(z, z, z @ z.T, related, margin=0.8, negatives=5)
    push = 0.5 * (0.8 - math.sqrt(2 - math.sqrt(3))) ** 2
    torch.testing.assert_close(losses, torch.tensor([0.5 + push, 0.5 + push, 0.0]))
    assert valid.tolist() == [True, True, False]


def test_negatives_beyond_the_margin_have_no_gradient() -> None:
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    content = torch.tensor([[0], [0], [1]])
    losses, _ = contrastive_loss(z, z, z.detach() @ z.detach().T, relations(content, content))
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert z.grad is not None
    assert not z.grad[2].any(), "√2 away"


def test_gradient() -> None:
    start, content = mixed_batch(3)
    related = relations(content, content)

    def loss(x: Tensor) -> Tensor:
        z = functional.normalize(x, dim=1)
        return contrastive_loss(z, z, z @ z.T, related, margin=1.5, negatives=2)[0].sum()

    assert torch.autograd.gradcheck(loss, (start.double().requires_grad_(),))


def test_equal_descriptors_have_a_finite_gradient() -> None:
    z = torch.ones(4, 1, requires_grad=True)
    content = torch.tensor([[0], [0], [1], [1]])
    losses, _ = contrastive_loss(z, z, z @ z.T, relations(content, content))
    losses.sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(losses, torch.full((4,), 2 * 0.5 * 0.8**2))
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_small_distances_keep_their_digits() -> None:
    near = torch.tensor([[1.0, 0.0], [1.0, 1e-5]])
    distance = distances_to(near[:1], near, torch.tensor([[1]]), floor=0.0)
    assert float(distance) == pytest.approx(1e-5, rel=1e-4)
