"""Weights of half the bytes: what is rounded, what is read back, and how little it shows."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.fingerprint import network_fingerprint
from sscd.models.packages.card import ModelCard
from sscd.models.packages.half import rounded_to_half
from sscd.models.packages.safetensors_file import read_package, write_package
from sscd.models.projection import DescriptorProjection
from tests.models.networks import small_network
from tests.models.packages.packed import small_trained


@pytest.fixture
def trained() -> TrainedNetwork:
    network = small_network()
    network.projection = DescriptorProjection(torch.randn(8) / 9, torch.randn(8, 5) * 1e5)
    return replace(small_trained(), network=rounded_to_half(network))


@pytest.fixture
def package(trained: TrainedNetwork, tmp_path: Path) -> Path:
    card = ModelCard.of(trained, name="small", weights="float16")
    write_package(tmp_path / "a.safetensors", trained, card)
    return tmp_path / "a.safetensors"


def test_kernels_are_half_and_the_rest_is_not(package: Path) -> None:
    with safe_open(package, framework="pt") as file:
        kinds = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert kinds["backbone.conv1.weight"] == kinds["head.weight"] == torch.float16
    for name in ("head.bias", "backbone.bn1.running_var", "projection.matrix"):
        assert kinds[name] == torch.float32, name
    assert kinds["backbone.bn1.num_batches_tracked"] == torch.int64
    parameters = sum(value.numel() for value in small_network().state_dict().values())
    assert package.stat().st_size < 2.1 * parameters


def test_what_is_read_is_what_was_rounded(package: Path, trained: TrainedNetwork) -> None:
    read = read_package(package).network
    assert network_fingerprint(read) == network_fingerprint(trained.network)
    assert {value.dtype for value in read.parameters()} == {torch.float32}
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(read(pictures), trained.network(pictures))


def test_descriptors_hardly_change() -> None:
    network = small_network()
    half = rounded_to_half(network)
    assert network_fingerprint(half) != network_fingerprint(network)
    assert network_fingerprint(rounded_to_half(half)) == network_fingerprint(half)
    pictures = torch.randint(0, 256, (16, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        cosines = (network(pictures) * half(pictures)).sum(dim=1)
    assert cosines.min() > 0.99999
    assert network.training == half.training == False  # noqa: E712


def test_weights_beyond_the_range_are_refused() -> None:
    network = small_network()
    with torch.no_grad():
        network.head.weight[0, 0] = 1e6
    with pytest.raises(UserError, match=r"'head.weight' has weights beyond 65504"):
        rounded_to_half(network)
