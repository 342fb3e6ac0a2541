"""Frozen batch norm, and synchronised batch norm that keeps timm's activations."""

from typing import Any

import pytest
import torch
from torch import nn

from sscd.models.backbones import build_backbone
from sscd.training.batch_norm import SyncBatchNorm, batch_norm_plugins, freeze_batch_norm


def test_frozen_layers_use_and_keep_their_statistics() -> None:
    layer = nn.BatchNorm2d(3)
    network = nn.Sequential(nn.Conv2d(3, 3, 1), layer, nn.Dropout(0.5))
    layer.running_mean = torch.tensor([1.0, 2.0, 3.0])
    network.train()
    freeze_batch_norm(network)
    assert network[0].training
    assert network[2].training
    pictures = torch.randn(4, 3, 5, 5)
    expected = pictures - torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(layer(pictures), expected / (1 + layer.eps) ** 0.5)
    network(pictures).sum().backward()
    assert layer.running_mean.tolist() == [1.0, 2.0, 3.0]
    assert layer.num_batches_tracked is not None
    assert int(layer.num_batches_tracked) == 0
    assert layer.weight.grad is not None
    assert float(layer.weight.grad.abs().sum()) > 0


def converted(network: nn.Module, pictures: torch.Tensor) -> tuple[list[Any], torch.Tensor]:
    plugin = SyncBatchNorm()
    network = plugin.apply(network.eval())
    layers = [m for m in network.modules() if isinstance(m, nn.SyncBatchNorm)]
    with torch.inference_mode():
        synchronised = network(pictures)
    back = plugin.revert(network)
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in back.modules())
    with torch.inference_mode():
        torch.testing.assert_close(back.eval()(pictures), synchronised)
    return layers, synchronised


def test_synchronised_layers_compute_the_same() -> None:
    network, _ = build_backbone("resnet18")
    pictures = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        expected = network.eval()(pictures)
    layers, synchronised = converted(network, pictures)
    assert len(layers) == 20
    torch.testing.assert_close(synchronised, expected)


def test_timms_layers_keep_their_activation() -> None:
    pytest.importorskip("timm", reason="the extra sscd[timm] is not installed")
    network, _ = build_backbone("timm/efficientnet_b0")
    keys = list(network.state_dict())
    pictures = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        expected = network.eval()(pictures)
    layers, synchronised = converted(network, pictures)
    assert len(layers) == 49
    torch.testing.assert_close(synchronised, expected)
    assert list(network.state_dict()) == keys


def test_a_cpu_synchronises_nothing() -> None:
    assert batch_norm_plugins("cpu") == []
    plugins = batch_norm_plugins("auto")
    assert len(plugins) == int(torch.cuda.is_available())
