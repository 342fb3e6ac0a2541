"""Backbones, pooling and the descriptor network."""

import pytest
import torch

from sscd.models.describe import describe
from sscd.models.descriptor import IMAGE_MEAN, IMAGE_STD, DescriptorNet, NetworkConfig
from sscd.models.pooling import AveragePool, GeM


@pytest.fixture(scope="module")
def network() -> DescriptorNet:
    torch.manual_seed(0)
    return DescriptorNet(NetworkConfig(backbone="resnet18", dims=32)).eval()


def test_gem_is_the_mean_at_1_and_near_the_maximum_at_100() -> None:
    x = torch.rand(2, 3, 4, 5) + 0.1
    torch.testing.assert_close(GeM(p=1)(x), x.mean(dim=(2, 3)))
    torch.testing.assert_close(GeM(p=100)(x), x.amax(dim=(2, 3)), rtol=0.05, atol=0)


def test_gem_by_hand() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]])  # negatives are clamped
    expected = ((1 + 8 + 27 + 1e-18) / 4) ** (1 / 3)
    assert float(GeM(p=3)(x)) == pytest.approx(expected)


def test_gem_of_half_precision_does_not_overflow() -> None:
    x = torch.full((1, 1, 2, 2), 100.0, dtype=torch.float16)
    assert float(GeM(p=7)(x)) == pytest.approx(100.0, rel=1e-3)


def test_gem_refuses_other_exponents() -> None:
    with pytest.raises(ValueError, match="exponent got 0"):
        GeM(p=0)


def test_the_average_keeps_both_signs() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]], dtype=torch.float16)
    assert AveragePool()(x).tolist() == [[0.5]]
    assert AveragePool()(x).dtype == torch.float32


def test_descriptors_are_unit_rows(network: DescriptorNet) -> None:
    described = network(torch.randint(0, 256, (3, 3, 40, 50), dtype=torch.uint8))
    assert described.shape == (3, 32)
    assert described.dtype == torch.float32
    torch.testing.assert_close(described.norm(dim=1), torch.ones(3))


def test_bytes_are_normalised_like_floats(network: DescriptorNet) -> None:
    picture = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGE_MEAN, IMAGE_STD))
    normalised = (picture.float() / 255 - mean) / std
    torch.testing.assert_close(network(picture), network(normalised))


def test_describe_keeps_the_order_of_mixed_sizes(network: DescriptorNet) -> None:
    sizes = [(32, 32), (32, 48), (32, 32), (48, 32), (32, 48)]
    pictures = [torch.randint(0, 256, (3, h, w), dtype=torch.uint8) for h, w in sizes]
    with torch.inference_mode():
        together = describe(network, pictures, device=torch.device("cpu"))
        alone = torch.cat([network(picture.unsqueeze(0)) for picture in pictures])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_channels_last_gives_the_same(network: DescriptorNet) -> None:
    picture = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    before = network(picture)
    moved = DescriptorNet(network.config).eval()
    moved.load_state_dict(network.state_dict())
    moved = moved.to(memory_format=torch.channels_last)
    torch.testing.assert_close(moved(picture), before, rtol=1e-4, atol=1e-5)


def test_configuration_is_checked() -> None:
    with pytest.raises(ValueError, match="dims got 0"):
        NetworkConfig(dims=0)
    with pytest.raises(ValueError, match="gem_p got 0"):
        NetworkConfig(gem_p=0)
    with pytest.raises(ValueError, match="backbone got 'resnet5'; did you mean resnet50"):
        NetworkConfig(backbone="resnet5")
    with pytest.raises(ValueError, match="pooling got 'max'"):
        NetworkConfig(pooling="max")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="resnet18 has no class token"):
        NetworkConfig("resnet18", pooling="cls")
    with pytest.raises(ValueError, match="head got 'mlp'; expected linear or none"):
        NetworkConfig(head="mlp")  # type: ignore[arg-type]
    for exponent in (0.0, -7.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="gem_p_inference got"):
            NetworkConfig(gem_p_inference=exponent)
    with pytest.raises(ValueError, match=r"gem_p_inference got 7\.0, and pooling is avg"):
        NetworkConfig(gem_p_inference=7.0, pooling="avg")
    for stage in (0, 5):
        with pytest.raises(ValueError, match=f"last_stage got {stage}; expected 1 to 4"):
            NetworkConfig(last_stage=stage)
    with pytest.raises(ValueError, match="last_stage got 3, and convnext_tiny is no ResNet"):
        NetworkConfig("convnext_tiny", last_stage=3)


@pytest.mark.parametrize(
    ("config", "channels"),
    [
        (NetworkConfig("resnet18", 256, head="none"), "512, the channels of resnet18"),
        (NetworkConfig("resnet50", 256, head="none"), "2048, the channels of resnet50"),
        (
            NetworkConfig("resnet50", 2048, head="none", last_stage=3),
            "1024, the channels of resnet50 at stage 3",
        ),
    ],
)
def test_without_a_head_dims_are_the_channels(config: NetworkConfig, channels: str) -> None:
    with pytest.raises(ValueError, match=f"and head is none; expected {channels}"):
        DescriptorNet(config)


@pytest.mark.parametrize("training", [True, False])
def test_without_a_head_pooled_channels_are_the_descriptor(training: bool) -> None:
    torch.manual_seed(0)
    config = NetworkConfig("resnet18", 512, head="none", gem_p_inference=7.0)
    network = DescriptorNet(config).train(training)
    network.backbone.eval()  # batch statistics would differ from call to call
    pictures = torch.randn(2, 3, 40, 56)
    with torch.inference_mode():
        activations = network.backbone(pictures)
        pooled = GeM(p=3.0 if training else 7.0)(activations)
        expected = torch.nn.functional.normalize(pooled, dim=1)
        torch.testing.assert_close(network(pictures), expected)
    assert not any(name.startswith("head") for name in network.state_dict())


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_an_earlier_stage_is_torchvisions_map(stage: int) -> None:
    from torchvision.models import resnet18

    torch.manual_seed(0)
    theirs = resnet18(weights=None).eval()
    network = DescriptorNet(NetworkConfig("resnet18", 8, pooling="avg", last_stage=stage)).eval()
    names = network.backbone.state_dict().keys()
    network.backbone.load_state_dict({key: theirs.state_dict()[key] for key in names})
    pictures = torch.randn(2, 3, 40, 56)
    expected = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(pictures))))
    for number in range(1, stage + 1):
        expected = getattr(theirs, f"layer{number}")(expected)
    torch.testing.assert_close(network.activations(pictures), expected)
    assert network.head.in_features == expected.shape[1]


@pytest.mark.parametrize("pooling", ["gem", "avg", "cls"])
def test_each_pooling_of_a_transformer(pooling: str) -> None:
    torch.manual_seed(0)
    config = NetworkConfig("vit_b_32", 8, pooling=pooling)  # type: ignore[arg-type]
    network = DescriptorNet(config).eval()
    pictures = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    with torch.inference_mode():
        described = network(pictures)
        if pooling == "avg":
            normalised = (pictures.float() - network.image_mean) / network.image_std
            pooled = network.backbone(normalised).mean(dim=(2, 3))
            expected = torch.nn.functional.normalize(network.head(pooled), dim=1)
            torch.testing.assert_close(described, expected)
    torch.testing.assert_close(described.norm(dim=1), torch.ones(2))
