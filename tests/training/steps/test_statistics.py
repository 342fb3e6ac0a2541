"""Statistics of a descriptor space against eigenvalues and known spaces."""

import pytest
import torch
from torch.nn import functional

from sscd.training.steps.statistics import center_norm, effective_rank


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
