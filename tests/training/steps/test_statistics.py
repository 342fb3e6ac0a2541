"""Statistics of a descriptor space against eigenvalues and known spaces."""

import pytest
import torch
from torch.nn import functional

from sscd.losses.instance import InfoNCE
from sscd.losses.rows import Rows
from sscd.training.steps.memory_queue import MemoryConfig, MemoryQueue
from sscd.training.steps.objective import compute_objective
from sscd.training.steps.statistics import center_norm, effective_rank, negative_similarity


@pytest.mark.parametrize(("rows", "dims"), [(40, 6), (6, 40), (8, 8)])
def test_effective_rank_is_that_of_the_eigenvalues(rows: int, dims: int) -> None:
    z = torch.randn(rows, dims, generator=torch.Generator().manual_seed(rows)).double()
    eigenvalues = torch.linalg.eigvalsh(z.T @ z / rows)
    expected = eigenvalues.sum().square() / eigenvalues.square().sum()
    torch.testing.assert_close(effective_rank(z), expected)


def test_known_spaces() -> None:
    alike = functional.normalize(torch.ones(5, 3), dim=1)
    assert float(effective_rank(alike)) == pytest.approx(1.0)
    assert float(center_norm(alike)) == pytest.approx(1.0)
    line = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert (float(effective_rank(line)), float(center_norm(line))) == (1.0, 0.0)
    three = torch.eye(8)[:3].repeat(4, 1)
    assert float(effective_rank(three)) == pytest.approx(3.0)
    assert float(center_norm(three)) == pytest.approx(3**-0.5)
    assert float(effective_rank(torch.zeros(4, 2))) == 0.0


def test_they_tell_what_diverged() -> None:
    z = torch.tensor([[1.0, 0.0], [torch.nan, 0.0]])
    assert effective_rank(z).isnan()
    assert center_norm(z).isnan()
    none = torch.zeros(())
    assert negative_similarity(z, positive_sum=none, positives=none).isnan()


@pytest.mark.parametrize("seed", range(6))
def test_negatives_are_those_of_loops(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = functional.normalize(torch.randn(23, 5, generator=generator) + seed % 3, dim=1)
    contents = torch.randint(-1, 9, (23, 2), generator=generator)  # some mixed, some of one picture
    contents[:, 0].clamp_(min=0)
    queue = MemoryQueue(MemoryConfig(7, entropy=True), dims=5)
    queue.enqueue(Rows(z[:5].flip(1), contents[:5]))
    memory = queue.remembered() if seed % 2 else None
    step = compute_objective(
        z, contents, loss=InfoNCE(0.1), entropy_weight=1.0, memory=memory, block=4
    )
    shown = [set(row) - {-1} for row in contents.tolist()]
    similarity = z.double() @ z.double().T
    strangers = [
        float(similarity[i, j])
        for i in range(23)
        for j in range(23)
        if i != j and not shown[i] & shown[j]
    ]
    mean = sum(strangers) / len(strangers)
    assert float(step.negative_similarity) == pytest.approx(mean, abs=1e-6)


def test_without_negatives_there_is_no_similarity() -> None:
    z = functional.normalize(torch.randn(512, 64, generator=torch.Generator().manual_seed(0)))
    same = torch.zeros(512, 1, dtype=torch.int64)
    step = compute_objective(z, same, loss=InfoNCE(0.1), entropy_weight=0.0)
    assert float(step.negative_similarity) == 0.0
