"""Local features against HOW's steps written down one picture and one scale at a time."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.models import local_features as module
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.local_features import local_features
from tests.models.networks import small_network

SCALES = (1.414, 1.0, 0.5)


@pytest.fixture(scope="module")
def network() -> DescriptorNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = NetworkConfig("resnet18", 5, pooling="attention", last_stage=2)
        return DescriptorNet(config).eval()


def pictures(*shape: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)


def by_hand(network: DescriptorNet, picture: Tensor) -> tuple[Tensor, Tensor]:
    """All cells of one picture at all scales, by falling attention."""
    normalised = (picture[None].float() - network.image_mean) / network.image_std
    descriptors, attentions = [], []
    for scale in SCALES:
        scaled = functional.interpolate(
            normalised, scale_factor=scale, mode="bilinear", align_corners=False
        )
        activations = network.backbone(scaled)
        near = functional.avg_pool2d(activations, 3, 1, 1, count_include_pad=False)
        kernel = network.head.weight[:, :, None, None]
        described = functional.conv2d(near, kernel, network.head.bias)
        descriptors.append(described[0].flatten(1).T)
        attentions.append(activations[0].norm(dim=0).flatten())
    attention = torch.cat(attentions) / max(float(values.max()) for values in attentions)
    attention, order = attention.sort(descending=True)
    return torch.cat(descriptors)[order], attention


@pytest.mark.parametrize("limit", [7, 10_000])
def test_they_are_those_of_the_paper(network: DescriptorNet, limit: int) -> None:
    given = pictures(2, 3, 40, 56)
    found = local_features(network, given, scales=SCALES, limit=limit)
    assert len(found) == 2
    for picture, features in zip(given, found, strict=True):
        with torch.inference_mode():
            descriptors, attention = by_hand(network, picture)
        assert features.descriptors.dtype == features.attention.dtype == np.float32
        assert len(features) == len(features.descriptors) == min(limit, len(attention))
        np.testing.assert_allclose(features.attention, attention[:limit], rtol=1e-4)
        np.testing.assert_allclose(features.descriptors, descriptors[:limit], atol=1e-4)
        assert features.attention[0] == 1


def test_at_one_scale_they_are_the_map_whose_sum_describes(network: DescriptorNet) -> None:
    given = pictures(1, 3, 48, 48)
    (features,) = local_features(network, given, scales=(1.0,), limit=10_000)
    total = (features.descriptors * features.attention[:, None]).sum(axis=0)
    with torch.inference_mode():
        described = network(given)[0].numpy()
        local, attention = network.local(given)
    np.testing.assert_allclose(total / np.linalg.norm(total), described, atol=1e-5)
    assert local.shape == (1, 5, *attention.shape[1:])
    assert len(features) == attention.numel()
    strongest = local.flatten(2)[0, :, attention.argmax()]
    np.testing.assert_allclose(features.descriptors[0], strongest, atol=1e-5)


def test_without_the_head_they_are_smoothed_activations(network: DescriptorNet) -> None:
    given = pictures(1, 3, 40, 40)
    (raw,) = local_features(network, given, scales=SCALES, limit=9, reduced=False)
    (reduced,) = local_features(network, given, scales=SCALES, limit=9)
    assert raw.descriptors.shape == (9, 128)
    with torch.inference_mode():
        expected = network.head(torch.from_numpy(raw.descriptors))
    np.testing.assert_allclose(reduced.descriptors, expected, atol=1e-5)
    np.testing.assert_array_equal(reduced.attention, raw.attention)


def test_large_batches_go_through_in_parts(
    network: DescriptorNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = pictures(5, 3, 32, 48)
    whole = local_features(network, given, scales=SCALES, limit=9)
    sizes = []
    through = network.activations

    def counted(batch: Tensor) -> Tensor:
        sizes.append(len(batch))
        return through(batch)

    monkeypatch.setattr(network, "activations", counted)
    monkeypatch.setattr(module, "_PIXELS_AT_ONCE", 2 * 32 * 48 * 1.414**2)
    parts = local_features(network, given, scales=SCALES, limit=9)
    assert sizes == [2, 2, 2, 2, 2, 2, 1, 1, 1]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.descriptors, other.descriptors, atol=1e-5)
        np.testing.assert_allclose(one.attention, other.attention, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 2, 300), (1, 3, 300, 3)])
def test_tiny_and_thin_pictures_have_some(network: DescriptorNet, shape: tuple[int, ...]) -> None:
    for features in local_features(network, pictures(*shape), scales=(1.0, 0.25)):
        assert len(features) >= 2
        assert np.isfinite(features.descriptors).all()
        assert (features.attention > 0).all()


def test_a_picture_of_one_colour_has_finite_features(network: DescriptorNet) -> None:
    (features,) = local_features(network, torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    assert np.isfinite(features.descriptors).all()
    assert features.attention.max() == 1


def test_no_pictures_give_no_features(network: DescriptorNet) -> None:
    assert local_features(network, pictures(0, 3, 32, 32)) == []


def test_what_cannot_be_asked(network: DescriptorNet) -> None:
    given = pictures(1, 3, 32, 32)
    with pytest.raises(ValueError, match="of pooling attention; this network has gem"):
        local_features(small_network(), given)
    with pytest.raises(ValueError, match="of pooling attention; this network has gem"):
        small_network().local(given)
    for scales in ((), (1.0, 0.0), (float("nan"),), (float("inf"),)):
        with pytest.raises(ValueError, match="scales got"):
            local_features(network, given, scales=scales)
    with pytest.raises(ValueError, match="limit got 0"):
        local_features(network, given, limit=0)
    network.train()
    try:
        with pytest.raises(ValueError, match="in training mode"):
            local_features(network, given)
    finally:
        network.eval()
