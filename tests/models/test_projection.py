"""The projection behind a network: the same as for descriptor files, and what is refused."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sscd.models.fingerprint import network_fingerprint
from sscd.models.projection import DescriptorProjection
from sscd.search.postprocessing.projection import Projection, ProjectionKind
from tests.models.networks import small_network


def unit_rows(count: int, dims: int, *, seed: int) -> NDArray[np.float32]:
    rows: NDArray[np.float64] = np.random.default_rng(seed).normal(
        0.3, 1, (count, dims)
    ) * np.arange(1, dims + 1)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize(("kind", "dims"), [("whiten", 5), ("pca", 3), ("center", 8)])
def test_the_same_as_for_descriptor_files(kind: ProjectionKind, dims: int) -> None:
    learnt = Projection.fit(unit_rows(200, 8, seed=1), kind=kind, dims=dims)
    module = DescriptorProjection(torch.from_numpy(learnt.mean), torch.from_numpy(learnt.matrix))
    rows = unit_rows(9, 8, seed=2)
    np.testing.assert_allclose(module(torch.from_numpy(rows)), learnt.apply(rows), atol=1e-6)
    assert module.dims == dims


def test_by_hand() -> None:
    module = DescriptorProjection(torch.tensor([1.0, 0.0]), torch.tensor([[2.0], [3.0]]))
    rows = torch.tensor([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0]])  # −2 + 3, −2 − 3, no direction
    torch.testing.assert_close(module(rows), torch.tensor([[1.0], [-1.0], [0.0]]))


def test_a_network_goes_on_with_it() -> None:
    plain, projected = small_network(), small_network()
    projected.projection = DescriptorProjection(torch.full((8,), 0.1), torch.randn(8, 3))
    pictures = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        expected = projected.projection(plain(pictures))
        torch.testing.assert_close(projected(pictures), expected)
        torch.testing.assert_close(projected(pictures, unit=False), plain(pictures, unit=False))
    assert (plain.dims, projected.dims) == (8, 3)
    added = set(projected.state_dict()) - set(plain.state_dict())
    assert added == {"projection.mean", "projection.matrix"}
    assert network_fingerprint(projected) != network_fingerprint(plain)
    assert not list(projected.projection.parameters()), "nothing of it is trained"


@pytest.mark.parametrize(
    ("mean", "matrix", "expected"),
    [
        (torch.zeros(3), torch.zeros(2, 2), r"mean \(3,\), matrix \(2, 2\)"),
        (torch.zeros(2, 1), torch.zeros(2, 2), r"mean \(2, 1\)"),
        (torch.zeros(2), torch.zeros(2), r"matrix \(2,\)"),
        (torch.zeros(2), torch.zeros(2, 0), r"matrix \(2, 0\)"),
        (torch.zeros(2), torch.full((2, 2), torch.nan), "not finite"),
    ],
)
def test_refused(mean: torch.Tensor, matrix: torch.Tensor, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        DescriptorProjection(mean, matrix)
