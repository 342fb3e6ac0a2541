"""One function for every file: what it gives, and what it leaves alone."""

from pathlib import Path

import torch

from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network
from sscd.models.packages.safetensors_file import write_package
from tests.models.networks import INFERENCE, small_network, write_checkpoint
from tests.models.packages.packed import small_card, small_trained


def test_an_own_checkpoint(tmp_path: Path) -> None:
    trained = load_network(write_checkpoint(tmp_path / "a.pt"))
    assert trained.inference == INFERENCE
    for key, value in small_network().state_dict().items():
        assert torch.equal(trained.network.state_dict()[key], value)


def test_the_random_state_of_the_caller_stays(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "a.ckpt")
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_network(path)
    assert torch.equal(torch.rand(1), expected)


def test_an_exported_package(tmp_path: Path) -> None:
    trained = small_trained()
    write_package(tmp_path / "a.anything", trained, small_card(trained))
    loaded = load_network(tmp_path / "a.anything")
    assert loaded.network.config == trained.network.config
    assert loaded.inference == trained.inference
    assert network_fingerprint(loaded.network) == network_fingerprint(trained.network)
