"""HOW's published forms, built of torchvision's ResNet50, and ways in which they are wrong."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.descriptor import NetworkConfig
from sscd.models.loading import load_network
from sscd.models.local_features import local_features
from tests.models.published.files import randomised

CONFIG = NetworkConfig("resnet50", 128, pooling="attention", last_stage=3)
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
OLD_META = {
    "architecture": "resnet50",
    "skip_layer": 1,
    "dim": 128,
    "feat_pool_k": 3,
    "mean": MEAN,
    "std": STD,
}
NEW_PARAMS = {
    "architecture": "resnet50",
    "pretrained": True,
    "skip_layer": 1,
    "dim_reduction": {"dim": 128},
    "smoothing": {"kernel_size": 3},
    "runtime": {"mean_std": [MEAN, STD], "image_size": 1024, "features_num": 2000},
}


class Twin(nn.Module):
    """The published code's network, of torchvision's parts in a row."""

    def __init__(self, name: str = "resnet50", *, channels: int = 1024, dims: int = 128) -> None:
        from torchvision import models

        super().__init__()
        parts = list(getattr(models, name)(weights=None).children())
        self.features = nn.Sequential(*parts[:-3])
        self.dim_reduction = nn.Conv2d(channels, dims, 1)

    def cells(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        activations = self.features(pictures)
        near = functional.avg_pool2d(activations, 3, 1, 1, count_include_pad=False)
        return self.dim_reduction(near), activations.pow(2).sum(1).sqrt()

    def forward(self, pictures: Tensor) -> Tensor:
        described, attention = self.cells(pictures)
        return functional.normalize((described * attention[:, None]).sum(dim=(2, 3)), dim=1)


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names of the older files."""
    return {key.replace("dim_reduction.", "whiten."): value for key, value in state.items()}


def hollow() -> dict[str, Tensor]:
    with torch.device("meta"):
        state = Twin().state_dict()
    return {
        key: torch.zeros((), dtype=value.dtype).expand(value.shape) for key, value in state.items()
    }


def normalised(pictures: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (pictures / 255 - mean) / std


def test_a_file_describes_as_its_own_network_does(tmp_path: Path) -> None:
    twin = Twin().eval()
    state = randomised(twin.state_dict(), seed=4)
    twin.load_state_dict(state)
    path = tmp_path / "how_r50-.pth"
    torch.save({"meta": OLD_META, "state_dict": renamed(state)}, path)
    trained = load_network(path)
    assert trained.network.config == CONFIG
    assert trained.inference == InferenceSize(1024, "long_side")
    source = "published HOW weights (Tolias et al., ECCV 2020)"
    assert trained.recipe == {"source": source, "file": "how_r50-.pth"}
    assert not trained.network.training
    pictures = torch.randint(0, 256, (2, 3, 96, 64), dtype=torch.uint8)
    with torch.inference_mode():
        expected = twin(normalised(pictures))
        torch.testing.assert_close(trained.network(pictures), expected, atol=1e-5, rtol=0)
        described, attention = twin.cells(normalised(pictures[:1]))
    (features,) = local_features(trained.network, pictures[:1], scales=(1.0,), limit=1)
    strongest = described.flatten(2)[0, :, attention.argmax()]
    torch.testing.assert_close(torch.from_numpy(features.descriptors[0]), strongest)


def test_the_newer_form_and_another_backbone(tmp_path: Path) -> None:
    state = randomised(Twin("resnet18", channels=256, dims=16).state_dict())
    state = {key: value for key, value in state.items() if not key.endswith("batches_tracked")}
    path = tmp_path / "model_best.pth"
    torch.save({"state_dict": state, "net_params": NEW_PARAMS, "_version": "how/2020"}, path)
    trained = load_network(path)
    assert trained.network.config == NetworkConfig(
        "resnet18", 16, pooling="attention", last_stage=3
    )
    torch.save({"state_dict": state}, path)  # the weights alone
    again = load_network(path).network
    assert torch.equal(again.head.weight, state["dim_reduction.weight"][:, :, 0, 0])


def refused(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "how_r50-.pth"
    torch.save(content, path)
    with pytest.raises(UserError) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "key", ["features.0.weight", "features.6.5.bn3.running_var", "dim_reduction.weight"]
)
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    state = hollow()
    del state[key]
    message = refused(tmp_path, {"state_dict": state})
    assert f"'{key}' is missing" in message
    assert "of HOW" in message


@pytest.mark.parametrize("key", ["features.9.weight", "attention.weight", "whiten.bias"])
def test_an_unknown_key_is_named(key: str, tmp_path: Path) -> None:
    message = refused(tmp_path, {"state_dict": hollow() | {key: torch.zeros(1)}})
    assert f"'{key}' is unknown" in message


@pytest.mark.parametrize(
    ("value", "shape"),
    [(torch.zeros(128, 1024, 3, 3), "(128, 1024, 3, 3)"), (torch.zeros(()), "()"), ("x", "None")],
)
def test_another_shape_is_named(value: Any, shape: str, tmp_path: Path) -> None:
    message = refused(tmp_path, {"state_dict": {**hollow(), "dim_reduction.weight": value}})
    assert f"'dim_reduction.weight' has shape {shape}, expected (128, 1024)" in message


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"meta": OLD_META | {"feat_pool_k": 5}}, "smooths its map with a kernel of 5"),
        ({"net_params": NEW_PARAMS | {"smoothing": None}}, "with a kernel of None"),
        ({"meta": OLD_META | {"mean": [0.5, 0.5, 0.5]}}, r"normalises pictures by [[0.5, 0.5"),
        ({"meta": OLD_META | {"std": None}}, "is damaged or was changed"),
    ],
)
def test_a_network_that_was_built_otherwise(
    settings: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert expected in refused(tmp_path, {"state_dict": hollow(), **settings})


@pytest.mark.parametrize("place", ["11", "0"])
def test_stages_that_no_resnet_has(place: str, tmp_path: Path) -> None:
    state = {key.replace("features.6.", f"features.{place}."): v for key, v in hollow().items()}
    message = refused(tmp_path, {"state_dict": state})
    assert "holds no whole resnet50 of HOW: 'features." in message
