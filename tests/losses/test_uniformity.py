"""Uniformity against loops, by hand, and its gradient."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.relations import relations
from sscd.losses.uniformity import potentials


@pytest.mark.parametrize("t", [2.0, 0.7])
def test_equals_the_definition(t: float) -> None:
    generator = torch.Generator().manual_seed(0)
    z = functional.normalize(torch.randn(10, 6, generator=generator), dim=1)
    content = torch.randint(0, 4, (10, 1), generator=generator)
    sums, counts = potentials(z, z, relations(content, content), t=t)
    for i in range(10):
        others = [j for j in range(10) if content[i] != content[j]]
        expected = sum(math.exp(-t * math.dist(z[i].tolist(), z[j].tolist()) ** 2) for j in others)
        assert int(counts[i]) == len(others)
        assert float(sums[i]) == pytest.approx(expected, rel=1e-5)


def test_hand_computed() -> None:
    # Orthogonal: ‖·‖² = 2, opposite: 4; the own second view does not count.
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    content = torch.tensor([[0], [0], [1], [2]])
    sums, counts = potentials(z, z, relations(content, content))
    assert sums.tolist() == pytest.approx(
        [math.exp(-4) + math.exp(-8)] * 2 + [3 * math.exp(-4)] + [2 * math.exp(-8) + math.exp(-4)]
    )
    assert counts.tolist() == [2, 2, 3, 3]


def test_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    content = torch.tensor([[0], [0], [1], [1], [2], [3]])
    related = relations(content, content)

    def loss(x: Tensor) -> Tensor:
        z = functional.normalize(x, dim=1)
        return potentials(z, z, related)[0].sum()

    assert torch.autograd.gradcheck(loss, (start.requires_grad_(),))
