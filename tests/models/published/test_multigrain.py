"""Multigrain's published form, built of torchvision's ResNet50, and ways in which it is wrong."""

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
from tests.models.published.files import randomised

CONFIG = NetworkConfig("resnet50", 2048, head="none", gem_p_inference=7.0)


def backbone_shapes(name: str = "resnet50") -> dict[str, Tensor]:
    """torchvision's names and shapes, without the classifier, in next to no memory."""
    from torchvision import models

    with torch.device("meta"):
        state = getattr(models, name)(weights=None).state_dict()
    return {
        key: torch.zeros((), dtype=value.dtype).expand(value.shape)
        for key, value in state.items()
        if not key.startswith("fc.")
    }


def hollow(name: str = "resnet50") -> dict[str, Tensor]:
    return {f"features.{key}": value for key, value in backbone_shapes(name).items()}


def beside() -> dict[str, Tensor]:
    """What a whole training of Multigrain leaves in a file beside the backbone."""
    return {
        "pool.p": torch.tensor(3.0),
        "classifier.weight": torch.zeros(10, 2049),
        "classifier.bias": torch.zeros(10),
        "whitening.pca.pca_P": torch.zeros(4, 4),
        "whitening.pca.pca_m": torch.zeros(1, 4),
    }


def test_a_file_describes_as_the_paper_does(tmp_path: Path) -> None:
    from torchvision.models import resnet50

    weights = randomised(backbone_shapes(), seed=3)
    state = {f"features.{key}": value for key, value in weights.items()} | beside()
    path = tmp_path / "joint_3B_0.5.pth"
    torch.save({"model_state": state, "extra": {"epoch": 120}}, path)
    trained = load_network(path)
    assert trained.network.config == CONFIG
    assert trained.inference == InferenceSize(512, "long_side")
    assert trained.recipe["source"] == "published Multigrain weights (Berman et al., 2019)"
    assert trained.recipe["file"] == path.name
    assert trained.recipe["left_out"] == list(beside())
    assert not trained.network.training
    theirs = resnet50(weights=None).eval()
    theirs.load_state_dict(weights, strict=False)
    theirs.avgpool, theirs.fc = torch.nn.Identity(), torch.nn.Identity()
    pictures = torch.randint(0, 256, (2, 3, 96, 64), dtype=torch.uint8)
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with torch.inference_mode():
        activations = theirs((pictures / 255 - mean) / std).view(2, 2048, 3, 2)
        pooled = activations.clamp(min=1e-6).pow(7).mean(dim=(2, 3)).pow(1 / 7)
        expected = functional.normalize(pooled, dim=1)
        torch.testing.assert_close(trained.network(pictures), expected, atol=1e-5, rtol=0)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    state = hollow("resnet18") | {"pool.p": torch.tensor(4.0)}
    counters = [key for key in state if key.endswith("num_batches_tracked")]
    for key in counters:  # older versions of torch had none
        del state[key]
    torch.save({"model_state": state}, tmp_path / "sscd_disc_mixup.classy.pt")
    config = load_network(tmp_path / "sscd_disc_mixup.classy.pt").network.config
    assert config == NetworkConfig("resnet18", 512, gem_p=4.0, head="none", gem_p_inference=7.0)


def refused(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "joint_3B_0.5.pth"
    torch.save(content, path)
    with pytest.raises(UserError) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("key", ["features.conv1.weight", "features.layer4.2.bn3.running_var"])
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    state = hollow()
    del state[key]
    message = refused(tmp_path, {"model_state": state})
    assert "no whole resnet50 of Multigrain" in message
    assert f"'{key}' is missing" in message


@pytest.mark.parametrize("key", ["features.layer5.weight", "head.weight"])
def test_an_unknown_key_is_named(key: str, tmp_path: Path) -> None:
    message = refused(tmp_path, {"model_state": hollow() | {key: torch.zeros(1)}})
    assert f"'{key}' is unknown" in message


def test_another_shape_is_named(tmp_path: Path) -> None:
    state: dict[str, Any] = {**hollow(), "features.bn1.weight": torch.zeros(3)}
    message = refused(tmp_path, {"model_state": state})
    assert "'features.bn1.weight' has shape (3,), expected (64,)" in message
    state["features.bn1.weight"] = "text"
    assert "has shape None, expected (64,)" in refused(tmp_path, {"model_state": state})


@pytest.mark.parametrize(
    "p", [torch.tensor(-1.0), torch.tensor([3.0, 3.0]), torch.tensor(torch.nan)]
)
def test_an_exponent_that_is_none(p: Tensor, tmp_path: Path) -> None:
    message = refused(tmp_path, {"model_state": hollow("resnet18") | {"pool.p": p}})
    assert "is damaged or was changed" in message


@pytest.mark.parametrize("state", [{}, None, [1], {"fc.weight": torch.zeros(1)}, {3: 4}])
def test_what_holds_no_backbone(state: Any, tmp_path: Path) -> None:
    message = refused(tmp_path, {"model_state": state})
    assert "nor published weights of SSCD, Multigrain or HOW" in message
