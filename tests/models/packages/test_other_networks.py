"""Networks without a head, with attention, of fewer stages: every format carries them."""

from pathlib import Path

import pytest
import torch
from torch import nn

from sscd.augment.inference import InferenceSize
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network
from sscd.models.packages.card import ModelCard
from sscd.models.packages.onnx_file import open_session, run_session
from sscd.models.packages.torch_export_file import open_program
from sscd.models.packages.writing import write_packages

MULTIGRAIN = NetworkConfig("resnet18", 64, head="none", gem_p_inference=7.0, last_stage=1)
HOW = NetworkConfig("resnet18", 5, pooling="attention", last_stage=2)


def trained_network(config: NetworkConfig) -> TrainedNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DescriptorNet(config).eval()
    for module in network.modules():  # statistics that a file could lose
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean += 0.1
    return TrainedNetwork(network, InferenceSize(64, "long_side"), {"source": "random weights"})


@pytest.mark.parametrize("config", [MULTIGRAIN, HOW])
def test_a_package_brings_them_back(config: NetworkConfig, tmp_path: Path) -> None:
    trained = trained_network(config)
    card = ModelCard.of(trained, name="other")
    write_packages(trained, card, [("safetensors", tmp_path / "a.safetensors")])
    loaded = load_network(tmp_path / "a.safetensors")
    assert loaded.network.config == config
    assert loaded.inference == trained.inference
    assert network_fingerprint(loaded.network) == network_fingerprint(trained.network)


@pytest.mark.slow
@pytest.mark.parametrize("config", [MULTIGRAIN, HOW])
def test_programs_agree_at_other_sizes(config: NetworkConfig, tmp_path: Path) -> None:
    trained = trained_network(config)
    onnx, program = tmp_path / "a.onnx", tmp_path / "a.pt2"
    files = write_packages(
        trained,
        ModelCard.of(trained, name="other"),
        [("onnx", onnx), ("torch_export", program)],
    )
    assert [file.sizes for file in files] == ["any", "any"]
    pictures = torch.randint(0, 256, (3, 3, 75, 120), dtype=torch.uint8)
    with torch.no_grad():
        expected = trained.network(pictures)
        programmed = open_program(program)(pictures)
    torch.testing.assert_close(programmed, expected, atol=1e-5, rtol=0)
    found = run_session(open_session(onnx), pictures)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
