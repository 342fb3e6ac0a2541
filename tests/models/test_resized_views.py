"""Pictures at several scales and mirrored: sides, order, and what a network makes of them."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.resized_views import resized_views, scaled_side


def several(**settings: object) -> DescriptorNet:
    torch.manual_seed(0)
    return DescriptorNet(NetworkConfig("resnet18", 8, **settings)).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [0.1, 0.7, 1.4, math.sqrt(2), 2.0, 10.0])
def test_sides_are_the_next_multiple_of_16(scale: float) -> None:
    for side in (1, 16, 33, 64, 160, 289):
        found = scaled_side(side, scale)
        assert found % 16 == 0
        assert side * scale * 0.999 <= found < side * scale * 1.001 + 16


def test_views_in_order() -> None:
    pictures = torch.randn(2, 3, 48, 33)
    seen = list(resized_views(pictures, (1.0, 0.5), mirror=True))
    assert [tuple(one.shape[-2:]) for one in seen] == [(48, 33), (48, 33), (32, 32), (32, 32)]
    assert seen[0] is pictures
    assert torch.equal(seen[1], pictures[..., torch.arange(32, -1, -1)])
    assert torch.equal(seen[3].flip(-1), seen[2])


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_resizing_is_pillows(scale: float) -> None:
    pixels = torch.rand(64, 96) * 255
    side = (scaled_side(96, scale), scaled_side(64, scale))
    theirs = Image.fromarray(pixels.numpy()).resize(side, Image.Resampling.BILINEAR)
    (seen,) = resized_views(pixels.expand(1, 3, -1, -1), (scale,), mirror=False)
    expected = torch.from_numpy(np.array(theirs))
    torch.testing.assert_close(seen[0, 1], expected, rtol=0, atol=1e-2)


def naive(network: DescriptorNet, pictures: Tensor) -> Tensor:
    """The mean of what a network of one scale says of each, by hand."""
    alone = several()
    alone.load_state_dict(network.state_dict())
    double = functional.interpolate(
        alone.normalised(pictures), (96, 80), mode="bilinear", antialias=True
    )
    seen = [alone.normalised(pictures), double]
    return torch.stack([alone(each) for one in seen for each in (one, one.flip(-1))]).sum(0)


def test_a_network_describes_by_the_normalised_mean() -> None:
    network = several(scales=(1.0, 2.0), mirror=True)
    pictures = torch.randint(0, 256, (2, 3, 48, 40), dtype=torch.uint8)
    with torch.no_grad():
        expected = naive(network, pictures)
        found = network(pictures)
        expected /= expected.norm(dim=1, keepdim=True)
        torch.testing.assert_close(found, expected)
        # The mirror image of a picture is then described as the picture.
        torch.testing.assert_close(network(pictures.flip(-1)), found)
        assert not torch.allclose(several()(pictures), found, atol=1e-3)


def test_one_scale_alone_counts() -> None:
    pictures = torch.randn(2, 3, 48, 40)
    double = functional.interpolate(pictures, (96, 80), mode="bilinear", antialias=True)
    with torch.no_grad():
        found = several(scales=(2.0,))(pictures)
        torch.testing.assert_close(found, several()(double))
        assert not torch.allclose(found, several()(pictures), atol=1e-3)


def test_training_sees_pictures_once_as_they_are() -> None:
    pictures = torch.randn(2, 3, 32, 32)
    network, alone = several(scales=(0.5, 2.0), mirror=True), several()
    torch.testing.assert_close(network.train()(pictures), alone.train()(pictures))
    torch.testing.assert_close(
        network.eval()(pictures, unit=False), alone.eval()(pictures, unit=False)
    )


def test_settings_are_checked() -> None:
    assert NetworkConfig(scales=[1, 2]) == NetworkConfig(scales=(1.0, 2.0))  # type: ignore[arg-type]
    assert NetworkConfig().sees_as_given
    for changed in ({"scales": (2.0,)}, {"scales": (1.0, 2.0)}, {"mirror": True}):
        assert not NetworkConfig(**changed).sees_as_given
    for scales in ((), (1.0, 1.0), (0.0,), (11.0,), (float("nan"),)):
        with pytest.raises(ValueError, match=r"scales got \[.*\]; expected different numbers"):
            NetworkConfig(scales=scales)
    for wrong in ({"gem_p": 0.5}, {"pooling": "avg"}):
        with pytest.raises(ValueError, match="gem_p_learnt got true"):
            NetworkConfig(gem_p_learnt=True, **wrong)
