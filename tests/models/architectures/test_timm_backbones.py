"""timm's networks as backbones, and what is said where there is no timm, or no such network."""

import collections
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.errors import UserError
from sscd.models.backbones import build_backbone
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.starting import start_from

timm = pytest.importorskip("timm", reason="the extra sscd[timm] is not installed")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", (5, 7)),
        ("convnext_atto", (5, 6)),
        ("efficientnet_b0", (5, 7)),
        ("vit_tiny_patch16_224", (10, 13)),  # 210 pixels are stretched to 208
        ("swin_tiny_patch4_window7_224", (5, 7)),  # channels last
        ("vit_small_patch14_dinov2", (11, 15)),  # 160 to 154
        ("vit_small_patch16_dinov3", (10, 13)),  # registers, rotary positions
        ("deit_tiny_distilled_patch16_224", (10, 13)),  # two tokens before the patches
        ("efficientvit_b0", (5, 7)),  # its head refuses to give a map
        ("mixer_s32_224", (7, 7)),  # of 224 pixels only
    ],
)
def test_networks_of_every_kind_give_a_map(name: str, expected: tuple[int, int]) -> None:
    torch.manual_seed(0)
    backbone, channels = build_backbone(f"timm/{name}")
    with torch.inference_mode():
        given = backbone.eval()(torch.rand(2, 3, 160, 210))
    assert given.shape == (2, channels, *expected)
    assert bool(given.isfinite().all())
    depths = collections.Counter(backbone.depth_of(key) for key, _ in backbone.named_parameters())
    assert sorted(depths) == list(range(len(depths)))


def test_a_map_is_what_timm_computes() -> None:
    torch.manual_seed(0)
    theirs = timm.create_model("vit_tiny_patch16_224", num_classes=0).eval()
    ours, _ = build_backbone("timm/vit_tiny_patch16_224")
    ours.model.load_state_dict(theirs.state_dict())  # type: ignore[union-attr]
    token, _ = build_backbone("timm/vit_tiny_patch16_224", class_token=True)
    token.load_state_dict(ours.state_dict())
    pictures = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        tokens = theirs.forward_features(pictures)
        given = ours.eval()(pictures)
        torch.testing.assert_close(given.flatten(2).transpose(1, 2), tokens[:, 1:])
        torch.testing.assert_close(token.eval()(pictures)[..., 0, 0], tokens[:, 0])


@pytest.mark.parametrize("name", ["test_vit", "test_efficientnet", "efficientvit_b0"])
def test_every_trained_parameter_gets_a_gradient(name: str) -> None:
    """Data-parallel training stops at one that gets none."""
    backbone, _ = build_backbone(f"timm/{name}")
    backbone(torch.randn(2, 3, 64, 64)).square().sum().backward()
    without = [n for n, p in backbone.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []


def test_a_network_of_one_size_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    build_backbone("timm/mixer_s32_224")
    assert "takes 224×224 pixels only" in capsys.readouterr().err
    build_backbone("timm/resnet18")
    assert not capsys.readouterr().err


def test_probing_leaves_the_random_state_alone() -> None:
    torch.manual_seed(3)
    first = DescriptorNet(NetworkConfig("timm/test_vit", 8)).state_dict()
    torch.manual_seed(3)
    second = timm.create_model("test_vit", num_classes=0, global_pool="").state_dict()
    for key, value in second.items():
        assert torch.equal(first[f"backbone.model.{key}"], value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm/resnet5000", "timm has no network 'resnet5000'"),
        ("timm/vit_tiny_patch16", "did you mean vit_tiny_patch16_224"),
        ("timm/crossvit_9_240", "gives no activation map: its features are a list"),
    ],
)
def test_networks_that_are_none(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_backbone(name)


def test_a_class_token_is_asked_of_those_that_have_one() -> None:
    with pytest.raises(ValueError, match="timm/resnet18 has no class token"):
        build_backbone("timm/resnet18", class_token=True)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # as Python marks what cannot be imported
    with pytest.raises(UserError, match=r"timm/resnet18 needs timm; pip install 'sscd\[timm\]'"):
        build_backbone("timm/resnet18")


def hub_with(folder: Path, name: str) -> dict[str, Any]:
    """The cache of the Hugging Face hub with random weights for a network, as it lies on a disk."""
    from safetensors.torch import save_file

    config = timm.get_pretrained_cfg(name)
    state = {k: torch.randn_like(v) if v.is_floating_point() else v
             for k, v in timm.create_model(name).state_dict().items()}  # fmt: skip
    root = folder / "hub" / f"models--{config.hf_hub_id.replace('/', '--')}"
    snapshot = root / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("0" * 40)
    save_file(state, snapshot / "model.safetensors")
    return state


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub in a folder, and no network; as HF_HOME and HF_HUB_OFFLINE set them."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def test_weights_of_the_hub_are_taken_from_its_cache(hub: Path) -> None:
    state = hub_with(hub, "test_vit")
    network = DescriptorNet(NetworkConfig("timm/test_vit", 8))
    assert start_from(network, "imagenet") is None
    started = network.backbone.state_dict()
    assert len(started) > 10
    for key, value in started.items():
        assert torch.equal(value, state[key.removeprefix("model.")]), key


def test_without_the_hub_one_line_says_what_to_fetch(hub: Path) -> None:
    with pytest.raises(UserError) as caught:
        start_from(DescriptorNet(NetworkConfig("timm/test_vit", 8)), "imagenet")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("the weights of timm/test_vit cannot be had: ")
    assert "fetch timm/test_vit.r160_in1k from the Hugging Face hub" in message
