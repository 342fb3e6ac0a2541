"""TorchScript modules: traced ones of the published structure, and ones that are something else."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sscd.errors import UserError
from sscd.models.descriptor import NetworkConfig
from sscd.models.loading import load_network
from tests.models.published.files import (
    TorchvisionTwin,
    classy_resnet50,
    classy_resnext101,
    randomised,
)


@pytest.fixture(autouse=True)
def _without_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write(module: nn.Module, path: Path, *, frozen: bool = False) -> None:
    traced: Any = torch.jit.trace(module.eval(), torch.randn(1, 3, 64, 64))  # type: ignore[no-untyped-call]
    if frozen:
        traced = torch.jit.freeze(traced)
    torch.jit.save(traced, path)


@pytest.fixture(scope="module")
def twin() -> TorchvisionTwin:
    made = TorchvisionTwin()
    made.load_state_dict(randomised(made.state_dict()))
    return made.eval()


@pytest.mark.parametrize(
    ("made", "config"),
    [
        (TorchvisionTwin, NetworkConfig("resnet18", 16)),
        (classy_resnet50, NetworkConfig("resnet50", 512)),
        pytest.param(
            classy_resnext101, NetworkConfig("resnext101_32x4d", 1024), marks=pytest.mark.slow
        ),
    ],
)
def test_a_traced_module_is_read_by_name(
    made: Callable[[], nn.Module], config: NetworkConfig, tmp_path: Path
) -> None:
    module = made()
    module.load_state_dict(randomised(module.state_dict()))
    path = tmp_path / "sscd_disc_mixup.torchscript.pt"
    write(module, path)
    trained = load_network(path)
    assert trained.network.config == config
    assert trained.recipe["views"] == {"name": "advanced"}
    pictures = torch.randn(2, 3, 80, 64)
    with torch.inference_mode():
        torch.testing.assert_close(trained.network(pictures), module(pictures), atol=1e-5, rtol=0)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_module_that_computes_something_else(twin: TorchvisionTwin, tmp_path: Path) -> None:
    class Flipped(TorchvisionTwin):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).flip(1)

    other = Flipped()
    other.load_state_dict(twin.state_dict())
    write(other, tmp_path / "a.pt")
    assert "computes other descriptors" in refused(tmp_path / "a.pt")


def test_a_module_of_another_output(twin: TorchvisionTwin, tmp_path: Path) -> None:
    class Summed(TorchvisionTwin):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).sum(1)

    write(Summed(), tmp_path / "a.pt")
    assert "gives no descriptors of 16 dimensions" in refused(tmp_path / "a.pt")


def test_a_key_of_it_is_named(twin: TorchvisionTwin, tmp_path: Path) -> None:
    other = TorchvisionTwin()
    other.register_buffer("more", torch.zeros(1))
    write(other, tmp_path / "a.pt")
    assert "'more' is unknown" in refused(tmp_path / "a.pt")


def test_a_frozen_module_has_no_names(twin: TorchvisionTwin, tmp_path: Path) -> None:
    write(twin, tmp_path / "a.pt", frozen=True)
    assert "frozen TorchScript" in refused(tmp_path / "a.pt")


def test_another_network(tmp_path: Path) -> None:
    write(nn.Sequential(nn.Conv2d(3, 4, 3)), tmp_path / "a.pt")
    assert "holds no weights of SSCD: its keys begin with" in refused(tmp_path / "a.pt")


def test_damage(twin: TorchvisionTwin, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    write(twin, path)
    content = bytearray(path.read_bytes())
    start = content.index(b"/code/")
    content[start : start + 40000] = bytes(40000)
    path.write_bytes(content)
    assert "damaged" in refused(path)
