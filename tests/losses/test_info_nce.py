"""InfoNCE against loops, against values worked out by hand, and its gradient."""

import math

import pytest
import torch
from torch import Tensor

from sscd.losses.info_nce import info_nce
from sscd.losses.relations import NO_PICTURE, Relations, relations


def naive(similarity: Tensor, related: Relations, temperature: float) -> list[float | None]:
    """The definition, with loops and exponentials, in double precision."""
    rows: list[float | None] = []
    for i in range(len(similarity)):
        positives = [j for j in range(similarity.shape[1]) if related.positive[i, j]]
        negatives = [j for j in range(similarity.shape[1]) if related.negative[i, j]]
        if not positives or not negatives:
            rows.append(None)
            continue
        others = sum(math.exp(float(similarity[i, n]) / temperature) for n in negatives)
        terms = [math.exp(float(similarity[i, j]) / temperature) for j in positives]
        rows.append(-sum(math.log(t / (t + others)) for t in terms) / len(positives))
    return rows


def weighed(
    similarity: Tensor, related: Relations, temperature: float, hardness: float
) -> list[float]:
    """The definition with weights, which are 1 on average, in double precision."""
    rows = []
    for i in range(len(similarity)):
        logits = (similarity[i].double() / temperature).tolist()
        positives = [logits[j] for j in related.positive[i].nonzero()]
        negatives = [logits[j] for j in related.negative[i].nonzero()]
        if not positives or not negatives:
            rows.append(0.0)
            continue
        weights = [math.exp(hardness * a) for a in negatives]
        mean = sum(weights) / len(weights)
        pairs = zip(weights, negatives, strict=True)
        others = sum(weight / mean * math.exp(a) for weight, a in pairs)
        rows.append(
            -sum(math.log(math.exp(a) / (math.exp(a) + others)) for a in positives) / len(positives)
        )
    return rows


def mixed_batch(seed: int, rows: int = 12, pictures: int = 5) -> tuple[Tensor, Tensor]:
    """Random unit descriptors and picture numbers, some rows with two pictures."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.nn.functional.normalize(torch.randn(rows, 8, generator=generator), dim=1)
    content = torch.randint(0, pictures, (rows, 2), generator=generator)
    content[torch.rand(rows, generator=generator) < 0.6, 1] = NO_PICTURE
    return z, content


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_definition(seed: int) -> None:
    z, content = mixed_batch(seed)
    related = relations(content, content)
    losses, valid = info_nce(z @ z.T, related, temperature=0.3)
    expected = naive((z @ z.T).double(), related, 0.3)
    assert valid.tolist() == [row is not None for row in expected]
    torch.testing.assert_close(losses, torch.tensor([row or 0.0 for row in expected]))


@pytest.mark.parametrize("hardness", [0.25, 1.0, 3.0])
def test_hard_negatives_equal_the_definition(hardness: float) -> None:
    z, content = mixed_batch(4)
    related = relations(content, content)
    losses, _ = info_nce(z @ z.T, related, temperature=0.3, hardness=hardness)
    expected = weighed(z @ z.T, related, 0.3, hardness)
    torch.testing.assert_close(losses, torch.tensor(expected))
    plain, _ = info_nce(z @ z.T, related, temperature=0.3)
    assert (losses >= plain).all()
    assert (losses > plain).any()


def test_hard_negatives_by_hand() -> None:
    # Negatives at e^s = 1 and 3 with β = 1: weights 1/2 and 3/2, so 1/2 + 9/2 = 5 in place of 4.
    similarity = torch.tensor([[0.0, 0.0, 0.0, math.log(3.0)]])
    related = Relations(
        torch.tensor([[False, True, False, False]]), torch.tensor([[False, False, True, True]])
    )
    plain, _ = info_nce(similarity, related, temperature=1.0)
    hard, _ = info_nce(similarity, related, temperature=1.0, hardness=1.0)
    assert float(plain) == pytest.approx(math.log(5.0))
    assert float(hard) == pytest.approx(math.log(6.0))


def test_hardness_of_zero_and_of_one_negative_change_nothing() -> None:
    z, content = mixed_batch(6)
    related = relations(content, content)
    plain, _ = info_nce(z @ z.T, related)
    none, _ = info_nce(z @ z.T, related, hardness=0.0)
    assert torch.equal(none, plain)
    two = torch.tensor([[0.0, 0.9, 0.3], [0.9, 0.0, 0.1], [0.3, 0.1, 0.0]])
    content = torch.tensor([[0], [0], [1]])
    alone, _ = info_nce(two, relations(content, content), temperature=0.5, hardness=2.0)
    torch.testing.assert_close(
        alone, info_nce(two, relations(content, content), temperature=0.5)[0]
    )


def test_hand_computed() -> None:
    # Two pictures with two views each; positives at similarity 1, negatives at 0, τ = 1:
    # −log(e / (e + 2)) = log(1 + 2/e)
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    content = torch.tensor([[0], [0], [1], [1]])
    losses, _ = info_nce(z @ z.T, relations(content, content), temperature=1.0)
    torch.testing.assert_close(losses, torch.full((4,), math.log(1 + 2 / math.e)))


def test_other_positives_are_not_negatives() -> None:
    # Three views of one picture and one of another: each positive meets one negative only.
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    content = torch.tensor([[0], [0], [0], [1]])
    losses, valid = info_nce(z @ z.T, relations(content, content), temperature=1.0)
    torch.testing.assert_close(losses[:3], torch.full((3,), math.log(1 + 1 / math.e)))
    assert valid.tolist() == [True, True, True, False]


@pytest.mark.parametrize("hardness", [0.0, 1.5])
def test_gradient(hardness: float) -> None:
    z, content = mixed_batch(3)
    related = relations(content, content)

    def loss(x: Tensor) -> Tensor:
        return info_nce(x @ x.T, related, temperature=0.3, hardness=hardness)[0].sum()

    assert torch.autograd.gradcheck(loss, (z.double().requires_grad_(),))


def test_half_precision_is_computed_in_float32() -> None:
    z, content = mixed_batch(5)
    similarity = (z @ z.T).bfloat16()
    losses, _ = info_nce(similarity, relations(content, content))
    expected, _ = info_nce(similarity.float(), relations(content, content))
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, expected)


@pytest.mark.parametrize("hardness", [0.0, 4.0])
def test_extreme_similarities_stay_finite(hardness: float) -> None:
    similarity = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    similarity.requires_grad_()
    content = torch.tensor([[0], [0], [1]])
    related = relations(content, content)
    losses, _ = info_nce(similarity, related, temperature=1e-3, hardness=hardness)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(losses).all()
    assert similarity.grad is not None
    assert torch.isfinite(similarity.grad).all()
    torch.testing.assert_close(losses[0], torch.tensor(2000.0))


@pytest.mark.parametrize("hardness", [0.0, 1.0, 4.0])
def test_rows_without_negatives_have_no_gradient(hardness: float) -> None:
    similarity = torch.rand(2, 2, requires_grad=True)
    content = torch.tensor([[7], [7]])
    losses, valid = info_nce(similarity, relations(content, content), hardness=hardness)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert not valid.any()
    assert losses.tolist() == [0.0, 0.0]
    assert similarity.grad is not None
    assert similarity.grad.abs().sum() == 0


def test_wrong_arguments() -> None:
    content = torch.tensor([[0], [1]])
    related = relations(content, content)
    with pytest.raises(ValueError, match="temperature got 0"):
        info_nce(torch.zeros(2, 2), related, temperature=0)
    with pytest.raises(ValueError, match="hardness got -1"):
        info_nce(torch.zeros(2, 2), related, hardness=-1)
    with pytest.raises(ValueError, match=r"similarity got shape \(2, 3\)"):
        info_nce(torch.zeros(2, 3), related)
