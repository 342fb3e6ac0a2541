"""The margin loss against loops and values worked out by hand; how its negatives are drawn."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.losses.margin import Drawn, draw_negatives, margin_loss
from sscd.losses.relations import NO_PICTURE, Relations, relations
from tests.losses.test_info_nce import mixed_batch

BETA = torch.tensor(1.2)


def drawn_by_hand(related: Relations, most: int) -> Drawn:
    """The last negatives of each row, as many as it has positives."""
    places = torch.zeros(len(related.negative), most, dtype=torch.int64)
    valid = torch.zeros(len(related.negative), most, dtype=torch.bool)
    for i, row in enumerate(related.negative):
        wanted = min(most, int(related.positive[i].sum()))
        for k, j in enumerate(row.nonzero().flatten().tolist()[::-1][:wanted]):
            places[i, k], valid[i, k] = j, True
    return Drawn(places, valid)


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_definition(seed: int) -> None:
    z, content = mixed_batch(seed)
    related = relations(content, content)
    drawn = drawn_by_hand(related, 3)
    sums, active = margin_loss(z, z, z @ z.T, related, drawn, beta=BETA, alpha=0.2)
    points = z.double().tolist()
    for i, own in enumerate(points):
        terms = [
            max(0.0, math.dist(own, points[j]) - 1.2 + 0.2)
            for j in range(len(z))
            if related.positive[i, j]
        ]
        pairs = zip(drawn.places[i].tolist(), drawn.valid[i].tolist(), strict=True)
        terms += [max(0.0, 1.2 - math.dist(own, points[j]) + 0.2) for j, valid in pairs if valid]
        assert float(sums[i]) == pytest.approx(sum(terms), abs=1e-5)
        assert int(active[i]) == sum(term > 0 for term in terms)


def test_hand_computed() -> None:
    # A positive at √2 costs √2 − 1.2 + 0.2, a negative at 0 costs 1.2 + 0.2; β gains by both.
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    content = torch.tensor([[0], [0], [1]])
    related = relations(content, content)
    drawn = Drawn(torch.tensor([[2], [2], [0]]), torch.tensor([[True], [True], [False]]))
    beta = BETA.clone().requires_grad_()
    sums, active = margin_loss(z, z, z @ z.T, related, drawn, beta=beta, alpha=0.2)
    first = math.sqrt(2) - 1.0 + 1.4
    torch.testing.assert_close(
        sums, torch.tensor([first, math.sqrt(2) - 1, 0.0]), atol=2e-4, rtol=0
    )
    assert active.tolist() == [2, 1, 0], "√2 is more than 1.4"
    (gradient,) = torch.autograd.grad(sums.sum(), beta)
    assert float(gradient) == 1 - 1 - 1


def test_gradient() -> None:
    start, content = mixed_batch(3)
    related = relations(content, content)
    drawn = drawn_by_hand(related, 2)

    def loss(x: Tensor, beta: Tensor) -> Tensor:
        z = functional.normalize(x, dim=1)
        return margin_loss(z, z, z @ z.T, related, drawn, beta=beta)[0].sum()

    inputs = (start.double().requires_grad_(), BETA.double().requires_grad_())
    assert torch.autograd.gradcheck(loss, inputs)


def circle(distances: list[float], dims: int = 8) -> tuple[Tensor, Relations]:
    """Similarities of one anchor with a positive and negatives at these distances."""
    similarity = 1 - torch.tensor([[0.0, 0.1, *distances]]).square() / 2
    positive = torch.zeros_like(similarity, dtype=torch.bool)
    positive[0, 1] = True
    negative = ~positive
    negative[0, 0] = False
    return similarity, Relations(positive, negative)


def test_negatives_are_drawn_by_their_distances() -> None:
    dims, distances = 8, [0.3, 0.5, 0.9, 1.3, 1.39, 1.5]
    similarity, related = circle(distances, dims)
    generator = torch.Generator().manual_seed(0)
    counts = np.zeros(len(distances))
    for _ in range(4000):
        noise = torch.rand(similarity.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
        drawn = draw_negatives(similarity, related, noise, dims=dims, most=1)
        assert bool(drawn.valid)
        counts[int(drawn.places) - 2] += 1
    clipped = np.maximum(distances, 0.5)
    weights = clipped ** (2 - dims) * (1 - clipped**2 / 4) ** ((3 - dims) / 2)
    weights[-1] = 0  # beyond 1.4
    np.testing.assert_allclose(counts / 4000, weights / weights.sum(), atol=0.03)


def test_where_all_are_far_all_are_alike() -> None:
    similarity, related = circle([1.5, 1.9])
    generator = torch.Generator().manual_seed(0)
    places = [
        int(draw_negatives(similarity, related, noise, dims=8, most=1).places)
        for noise in torch.rand(1000, *similarity.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
    ]
    assert set(places) == {2, 3}
    assert 400 < places.count(2) < 600


def test_as_many_are_drawn_as_there_are_positives() -> None:
    generator = torch.Generator().manual_seed(1)
    z = functional.normalize(torch.randn(8, 64, generator=generator), dim=1)
    content = torch.tensor([0, 0, 0, 1, 1, 2, NO_PICTURE, NO_PICTURE]).unsqueeze(1)
    related = relations(content, content)
    noise = torch.rand(8, 8, generator=generator).clamp(1e-6, 1 - 1e-6)
    drawn = draw_negatives(z @ z.T, related, noise, dims=64, most=2, farthest=2.0)
    assert drawn.valid.sum(dim=1).tolist() == [2, 2, 2, 1, 1, 0, 0, 0]
    for i in range(8):
        places = drawn.places[i][drawn.valid[i]].tolist()
        assert len(set(places)) == len(places), "without replacement"
        assert all(related.negative[i, j] for j in places)


def test_the_weights_of_many_dimensions_stay_finite() -> None:
    similarity, related = circle([0.0, 0.2, 1.2, 2.0])
    noise = torch.full_like(similarity, 0.5)
    drawn = draw_negatives(similarity, related, noise, dims=2048, most=3)
    assert drawn.valid.tolist() == [[True, False, False]]
    assert int(drawn.places[0, 0]) in (2, 3), "the nearest by far"
