"""Scales, mirror and exponent other than a network's own: what changes and what is refused."""

from pathlib import Path

import pytest
import torch

from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.fingerprint import network_fingerprint
from sscd.models.packages.card import ModelCard
from sscd.models.packages.card_page import card_page
from sscd.models.packages.safetensors_file import read_package, write_package
from sscd.models.pooling import GeM
from sscd.models.seeing import Seeing, seeing_note
from tests.models.packages.packed import small_trained

PICTURES = torch.randint(
    0, 256, (2, 3, 40, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(3)
)


def test_it_describes_as_a_network_that_has_these_settings() -> None:
    asked = NetworkConfig("resnet18", 8, scales=(1.0, 1.5), mirror=True, gem_p_inference=4.0)
    expected = DescriptorNet(asked).eval()
    expected.load_state_dict(small_trained().network.state_dict())
    changed = Seeing([1, 1.5], True, 4.0).of(small_trained())
    assert changed.network.config == asked
    assert network_fingerprint(changed.network) == network_fingerprint(expected)
    with torch.no_grad():
        assert torch.equal(changed.network(PICTURES), expected(PICTURES))
    assert (changed.threshold, changed.figures, changed.calibration) == (None, {}, None)
    assert changed.recipe == small_trained().recipe


@pytest.mark.parametrize(
    "seeing", [Seeing(), Seeing(scales=[1.0]), Seeing(mirror=False), Seeing(gem_p=3.0)]
)
def test_what_is_so_already_changes_nothing(seeing: Seeing) -> None:
    trained = small_trained()
    before = network_fingerprint(trained.network)
    assert seeing.of(trained) is trained
    assert network_fingerprint(trained.network) == before


@pytest.mark.parametrize(
    "seeing",
    [Seeing(scales=[1.0, 2.0]), Seeing(scales=[2.0]), Seeing(mirror=True), Seeing(gem_p=4.0)],
)
def test_each_has_a_fingerprint_of_its_own_and_survives_a_file(
    seeing: Seeing, tmp_path: Path
) -> None:
    changed = seeing.of(small_trained())
    fingerprint = network_fingerprint(changed.network)
    assert fingerprint != network_fingerprint(small_trained().network)
    write_package(tmp_path / "a.safetensors", changed, ModelCard.of(changed, name="a"))
    read = read_package(tmp_path / "a.safetensors").network
    assert network_fingerprint(read) == fingerprint
    with torch.no_grad():
        assert torch.equal(read(PICTURES), changed.network(PICTURES))
        assert not torch.equal(read(PICTURES), small_trained().network(PICTURES))
    back = Seeing([1.0], False, 3.0).of(read_package(tmp_path / "a.safetensors"))
    with torch.no_grad():
        assert torch.equal(back.network(PICTURES), small_trained().network(PICTURES))


@pytest.mark.parametrize(
    ("seeing", "message"),
    [
        (Seeing(scales=[0.0]), r"--scales got \[0\.0\]; expected different numbers"),
        (Seeing(gem_p=-1.0), "--gem_p got -1"),
    ],
)
def test_wrong_values(seeing: Seeing, message: str) -> None:
    with pytest.raises(UserError, match=message):
        seeing.of(small_trained())


def test_a_learnt_exponent_is_saved_and_said(tmp_path: Path) -> None:
    trained = small_trained()
    with torch.random.fork_rng():
        network = DescriptorNet(NetworkConfig("resnet18", 8, gem_p_learnt=True)).eval()
    network.load_state_dict(trained.network.state_dict(), strict=False)
    pool = network.pool
    assert isinstance(pool, GeM)
    with torch.no_grad():
        network.state_dict()["pool.p"].fill_(3.7)
    learnt = type(trained)(network, trained.inference)
    card = ModelCard.of(learnt, name="a")
    write_package(tmp_path / "a.safetensors", learnt, card)
    read = read_package(tmp_path / "a.safetensors").network
    assert network_fingerprint(read) == network_fingerprint(network) == card.fingerprint
    assert read.config.gem_p == pool.exponent == pytest.approx(3.7)
    again = type(trained)(read, trained.inference)
    assert "GeM p 3.7 as learnt" in card_page(ModelCard.of(again, name="a"))
    with torch.no_grad():
        assert torch.equal(read(PICTURES), network(PICTURES))
        # What it began with is the configuration's, and 3 may be asked for.
        fixed = Seeing(gem_p=3.0).of(learnt).network
        assert torch.equal(fixed(PICTURES), trained.network(PICTURES))


def test_notes() -> None:
    assert seeing_note(NetworkConfig()) == ""
    assert seeing_note(NetworkConfig(mirror=True)) == "mirrored too"
