"""The table of docs/models.md says what the networks are."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from sscd.models.backbones import BACKBONES
from sscd.models.descriptor import DescriptorNet, NetworkConfig

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
ROW = re.compile(r"^\| `([\w/.]+)` \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)


def rows() -> dict[str, tuple[str, str, str]]:
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {name: (channels, parameters, flops) for name, channels, parameters, flops in found}


def measured(name: str) -> tuple[str, str, str]:
    """Channels, parameters in millions and GFLOPs at 224 pixels, computed without computing."""
    with torch.device("meta"), torch.no_grad():
        network = DescriptorNet(NetworkConfig(name, 256)).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, 3, 224, 224))
    parameters = sum(p.numel() for p in network.parameters()) / 1e6
    flops = counter.get_total_flops() / 1e9
    return str(network.head.in_features), f"{parameters:.1f}", f"{flops:.1f}"


def test_every_backbone_is_listed() -> None:
    names = list(rows())
    assert names[: len(BACKBONES)] == list(BACKBONES)
    assert all(name.startswith("timm/") for name in names[len(BACKBONES) :])


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "vit_b_16"])
def test_figures(name: str) -> None:
    assert rows()[name] == measured(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(rows()))
def test_all_figures(name: str) -> None:
    if name.startswith("timm/"):
        pytest.importorskip("timm", reason="the extra sscd[timm] is not installed")
    assert rows()[name] == measured(name)
