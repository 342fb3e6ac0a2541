"""Depths of the parameters of whole descriptor networks."""

import pytest
import torch

from sscd.models.depth import steps_below_head
from sscd.models.descriptor import DescriptorNet, NetworkConfig


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [
        (
            "resnet18",
            {
                "head.bias": 0,
                "backbone.layer4.1.bn2.weight": 1,
                "backbone.layer1.0.conv1.weight": 4,
                "backbone.bn1.weight": 5,
                "backbone.conv1.weight": 5,
            },
        ),
        (
            "convnext_tiny",
            {
                "head.weight": 0,
                "backbone.classifier.0.weight": 1,
                "backbone.features.7.2.layer_scale": 1,
                "backbone.features.6.1.weight": 1,  # halves the map before the last stage
                "backbone.features.1.0.layer_scale": 4,
                "backbone.features.0.0.weight": 5,
            },
        ),
        (
            "efficientnet_b0",
            {
                "head.weight": 0,
                "backbone.features.8.0.weight": 1,
                "backbone.features.1.0.block.0.0.weight": 8,
                "backbone.features.0.0.weight": 9,
            },
        ),
        (
            "vit_b_16",
            {
                "head.weight": 0,
                "backbone.encoder.ln.weight": 1,
                "backbone.encoder.layers.encoder_layer_11.ln_1.weight": 1,
                "backbone.encoder.layers.encoder_layer_0.ln_1.weight": 12,
                "backbone.encoder.pos_embedding": 13,
                "backbone.class_token": 13,
                "backbone.conv_proj.bias": 13,
            },
        ),
    ],
)
def test_steps_by_hand(backbone: str, expected: dict[str, int]) -> None:
    with torch.device("meta"):
        network = DescriptorNet(NetworkConfig(backbone, 8))
    steps = steps_below_head(network)
    assert {key: steps[key] for key in expected} == expected
    assert set(steps) == {name for name, _ in network.named_parameters()}


def test_the_last_stage_that_is_kept_is_next_to_the_head() -> None:
    with torch.device("meta"):
        network = DescriptorNet(NetworkConfig("resnet18", 8, pooling="attention", last_stage=3))
    steps = steps_below_head(network)
    assert steps["head.weight"] == 0
    assert steps["backbone.layer3.1.bn2.weight"] == 1
    assert steps["backbone.conv1.weight"] == 4
    assert set(steps) == {name for name, _ in network.named_parameters()}


def test_without_a_head_the_last_stage_keeps_its_place() -> None:
    with torch.device("meta"):
        network = DescriptorNet(NetworkConfig("resnet18", 512, head="none"))
    steps = steps_below_head(network)
    assert steps["backbone.layer4.1.bn2.weight"] == 1
    assert min(steps.values()) == 1
