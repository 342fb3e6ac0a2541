"""Published weights: every format of the lists, and every way in which a file can be wrong."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.descriptor import NetworkConfig
from sscd.models.loading import load_network
from tests.models.published.files import (
    LARGE_CLASSY,
    MIXUP_CLASSY,
    MIXUP_TORCHVISION,
    GeMTwin,
    classy_resnet50,
    classy_resnext101,
    hollow_weights,
    random_weights,
)


def torchvision_twin(weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """torchvision's own ResNet50, pooled and normalised as the published code does it."""
    from torchvision.models import resnet50

    network = resnet50(weights=None, num_classes=512).eval()
    network.load_state_dict({key.removeprefix("backbone."): v for key, v in weights.items()})

    network.avgpool = GeMTwin()
    return lambda pictures: functional.normalize(network(pictures))


def classy_twin(name: str, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    twin = classy_resnext101() if name == LARGE_CLASSY else classy_resnet50()
    twin.load_state_dict(weights)  # strict: the twin has the published names
    return twin.eval()


@pytest.mark.parametrize(
    ("name", "config"),
    [
        (MIXUP_CLASSY, NetworkConfig("resnet50", 512)),
        (MIXUP_TORCHVISION, NetworkConfig("resnet50", 512)),
        pytest.param(LARGE_CLASSY, NetworkConfig("resnext101_32x4d", 1024), marks=pytest.mark.slow),
    ],
)
def test_a_file_describes_as_its_own_network_does(
    name: str, config: NetworkConfig, tmp_path: Path
) -> None:
    weights = random_weights(name)
    torch.save(weights, tmp_path / name)
    trained = load_network(tmp_path / name)
    assert trained.network.config == config
    assert not trained.network.training
    twin = torchvision_twin(weights) if "torchvision" in name else classy_twin(name, weights)
    pictures = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = twin(pictures)
        torch.testing.assert_close(trained.network(pictures), expected, atol=1e-5, rtol=0)
    assert float(expected[0] @ expected[1]) < 0.9999, "random weights tell pictures apart"


def test_what_is_known_of_a_file(tmp_path: Path) -> None:
    for name in (MIXUP_CLASSY, "renamed.pt"):
        torch.save(hollow_weights(MIXUP_CLASSY), tmp_path / name)
    trained = load_network(tmp_path / MIXUP_CLASSY)
    assert trained.inference == InferenceSize(288, "short_side")
    assert trained.recipe["views"] == {"name": "advanced"}
    assert trained.recipe["training_set"] == "DISC21"
    assert trained.threshold is not None
    assert trained.threshold.similarity == pytest.approx(0.75)
    assert trained.threshold.squared_distance == pytest.approx(0.5)
    renamed = load_network(tmp_path / "renamed.pt")
    assert renamed.threshold is None
    assert "views" not in renamed.recipe
    assert renamed.recipe["source"].startswith("published SSCD weights")


def refused(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "file.pt"
    torch.save(content, path)
    with pytest.raises(UserError) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", [MIXUP_CLASSY, MIXUP_TORCHVISION, LARGE_CLASSY])
@pytest.mark.parametrize("place", [0, 11, -1])
def test_a_missing_key_is_named(name: str, place: int, tmp_path: Path) -> None:
    weights = hollow_weights(name)
    key = list(weights)[place]
    del weights[key]
    assert f"'{key}' is missing" in refused(tmp_path, weights)


@pytest.mark.parametrize("name", [MIXUP_CLASSY, MIXUP_TORCHVISION, LARGE_CLASSY])
def test_an_extra_key_is_named(name: str, tmp_path: Path) -> None:
    weights = hollow_weights(name) | {"backbone.tail.weight": torch.zeros(1)}
    assert "'backbone.tail.weight' is unknown" in refused(tmp_path, weights)


def test_another_shape_is_named(tmp_path: Path) -> None:
    weights = hollow_weights(MIXUP_CLASSY) | {"embeddings.1.bias": torch.zeros(3)}
    message = refused(tmp_path, weights)
    assert "'embeddings.1.bias' has shape (3,), expected (512,)" in message
    odd: dict[str, Any] = {**hollow_weights(MIXUP_CLASSY), "embeddings.1.bias": "text"}
    assert "'embeddings.1.bias' has shape None" in refused(tmp_path, odd)


def test_several_problems_are_counted(tmp_path: Path) -> None:
    weights = hollow_weights(MIXUP_TORCHVISION)
    for key in [key for key in weights if key.startswith("backbone.layer4.2.")]:
        del weights[key]
    message = refused(tmp_path, weights)
    assert "'backbone.layer4.2.conv1.weight' is missing (and 17 more)" in message
    assert "no whole resnet50" in message


def test_a_training_checkpoint_of_the_published_code(tmp_path: Path) -> None:
    state = {f"model.{key}": value for key, value in hollow_weights(MIXUP_TORCHVISION).items()}
    settings = argparse.Namespace(entropy_weight=30.0, pool_param=4.0, backbone="TV_RESNET50")
    content = {
        "epoch": 99,
        "state_dict": state,
        "hyper_parameters": {"args": settings, "train_steps": 12},
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 4.8}]}],
    }
    path = tmp_path / "epoch=99.ckpt"
    torch.save(content, path)
    trained = load_network(path)
    assert trained.network.config == NetworkConfig("resnet50", 512, gem_p=4.0)
    assert trained.recipe["settings"]["entropy_weight"] == 30.0
    del state["model.backbone.fc.bias"]
    assert "'backbone.fc.bias' is missing" in refused(tmp_path, content)


def test_its_weights_alone(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save({f"model.{k}": v for k, v in hollow_weights(MIXUP_CLASSY).items()}, path)
    assert load_network(path).network.config == NetworkConfig("resnet50", 512)


def test_somebody_elses_weights(tmp_path: Path) -> None:
    message = refused(tmp_path, {"conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)})
    assert "neither a network of `sscd train` nor published weights of SSCD" in message
    assert "'conv1.weight'" in message
    assert "'encoder.w'" in refused(tmp_path, {"state_dict": {"encoder.w": torch.zeros(1)}})
    assert "it holds a list" in refused(tmp_path, [1])
    assert "it is empty" in refused(tmp_path, {})
