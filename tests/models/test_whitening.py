"""Whitening heads: unit covariance, shrinkage, and data of fewer directions than channels."""

import pytest
import torch
from torch import Tensor

from sscd.models.whitening import whitening_of


def correlated(count: int = 500, channels: int = 6, *, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(channels, channels, generator=random)
    return torch.randn(count, channels, generator=random) @ mixing + 5


def covariance_of(rows: Tensor) -> Tensor:
    return torch.cov(rows.T, correction=0)


def test_whitened_activations_have_unit_covariance() -> None:
    activations = correlated()
    weight, bias = whitening_of(activations, dims=6)
    assert weight.dtype == bias.dtype == torch.float32
    whitened = activations @ weight.T + bias
    torch.testing.assert_close(whitened.mean(dim=0), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(covariance_of(whitened), torch.eye(6), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("shrinkage", "power"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_shrinkage_leaves_a_power_of_the_variance(shrinkage: float, power: float) -> None:
    activations = correlated()
    weight, bias = whitening_of(activations, dims=3, shrinkage=shrinkage)
    values = torch.linalg.eigvalsh(covariance_of(activations.double())).flip(0)[:3]
    found = covariance_of((activations @ weight.T + bias).double())
    torch.testing.assert_close(found, torch.diag(values**power), atol=1e-3, rtol=1e-3)


def test_it_follows_from_the_activations_alone() -> None:
    activations = correlated()
    weight, _ = whitening_of(activations, dims=4)
    again, _ = whitening_of(activations.flip(0), dims=4)
    torch.testing.assert_close(weight, again)
    assert (weight.gather(1, weight.abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_a_direction_without_variance_is_not_blown_up() -> None:
    activations = correlated(channels=4)
    flat = torch.cat([activations, activations[:, :2]], dim=1)
    weight, bias = whitening_of(flat, dims=6)
    assert torch.isfinite(weight).all()
    assert float((flat @ weight.T + bias).abs().max()) < 100


@pytest.mark.parametrize(
    ("rows", "dims", "shrinkage", "message"),
    [
        (4, 4, 1.0, "whitening to 4 dimensions got 4 activations; expected more than 4"),
        (0, 4, 1.0, "got 0 activations"),
        (50, 7, 1.0, "whitening to 7 dimensions got 6 channels"),
        (50, 0, 1.0, "whitening to 0 dimensions"),
        (50, 4, 1.5, r"shrinkage got 1\.5"),
    ],
)
def test_what_cannot_be_learnt(rows: int, dims: int, shrinkage: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        whitening_of(torch.randn(rows, 6), dims=dims, shrinkage=shrinkage)
