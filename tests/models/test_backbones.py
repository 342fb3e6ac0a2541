"""Every backbone by name: torchvision's own figures, keys of before, and names that are wrong."""

import hashlib

import pytest
import torch
from torch import nn

from sscd.models.architectures.backbone import Backbone
from sscd.models.backbones import BACKBONES, build_backbone, check_backbone
from sscd.models.descriptor import DescriptorNet, NetworkConfig

FAMILIES = ("resnet", "resnext", "wide_resnet", "efficientnet", "convnext", "vit_")


def on_meta(name: str, *, class_token: bool = False) -> Backbone:
    with torch.device("meta"):
        return build_backbone(name, class_token=class_token)[0].eval()


def test_the_names_are_torchvisions() -> None:
    from torchvision import models

    theirs = [name for name in models.list_models(module=models) if name.startswith(FAMILIES)]
    assert sorted(BACKBONES) == sorted([*theirs, "resnext101_32x4d"])


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_gives_a_map_of_any_picture(name: str) -> None:
    backbone = on_meta(name)
    stride = {"vit_b_16": 16, "vit_l_16": 16, "vit_h_14": 14}.get(name, 32)
    # `meta` computes shapes only, so that the largest networks take no time.
    expected = (2, backbone.channels, 224 // stride, 448 // stride)
    assert backbone(torch.zeros(2, 3, 224, 448, device="meta")).shape == expected
    odd = backbone(torch.zeros(1, 3, 301, 97, device="meta"))
    assert odd.shape[:2] == (1, backbone.channels)
    assert odd.shape[2] > odd.shape[3] > 1


@pytest.mark.parametrize("name", BACKBONES)
def test_depths_rise_from_stem_to_last_stage_without_a_gap(name: str) -> None:
    backbone = on_meta(name)
    depths = [backbone.depth_of(parameter) for parameter, _ in backbone.named_parameters()]
    assert set(depths) == set(range(max(depths) + 1))
    if not name.startswith("vit"):  # whose class token and positions stand beside the blocks
        assert depths == sorted(depths)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "convnext_tiny", "vit_b_32"])
def test_a_backbone_computes_what_torchvision_does(name: str) -> None:
    from torchvision import models

    torch.manual_seed(0)
    theirs = getattr(models, name)(weights=None).eval()
    for parameter in theirs.parameters():  # some start at zero, where errors would not show
        nn.init.normal_(parameter, std=0.05)
    ours, channels = build_backbone(name, class_token=name.startswith("vit"))
    state = theirs.state_dict()
    ours.load_state_dict({key: state[key] for key in ours.state_dict()})
    pictures = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        given = ours.eval()(pictures)
        if name.startswith("convnext"):  # whose norm comes before the pooling here
            expected = theirs.classifier[0](theirs.features(pictures))
        elif name.startswith("vit"):
            theirs.heads = nn.Identity()
            expected = theirs(pictures)[:, :, None, None]
        else:
            last = theirs.fc if name.startswith("resnet") else theirs.classifier
            torch.testing.assert_close(last(given.mean(dim=(2, 3))), theirs(pictures))
            return
    torch.testing.assert_close(given, expected)
    assert given.shape[1] == channels


def test_residual_branches_start_at_zero() -> None:
    for name, last in (("resnet18", "bn2.weight"), ("resnext101_32x4d", "bn3.weight")):
        backbone, _ = build_backbone(name)
        gammas = [p for n, p in backbone.named_parameters() if n.endswith(last)]
        assert gammas
        assert all(float(p.detach().abs().sum()) == 0 for p in gammas)


@pytest.mark.parametrize(
    ("name", "count", "digest"),
    [
        ("resnet18", 122, "61e857d3cc982a61"),
        ("resnet34", 218, "136a07c44c26ad17"),
        ("resnet50", 320, "110241a77b37e97b"),
        ("resnet101", 626, "f7a9234ec2a759fe"),
        ("resnext50_32x4d", 320, "b286d19f62b55aa8"),
        ("resnext101_32x8d", 626, "ccb6b98484ce4c2b"),
    ],
)
def test_checkpoints_of_version_0_1_fit(name: str, count: int, digest: str) -> None:
    """Keys, shapes and their order, as version 0.1.0 wrote them."""
    with torch.device("meta"):
        state = DescriptorNet(NetworkConfig(name, 8)).state_dict()
    listed = "\n".join(f"{key} {list(value.shape)}" for key, value in state.items())
    assert len(state) == count
    assert hashlib.blake2b(listed.encode(), digest_size=8).hexdigest() == digest


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet5", "did you mean resnet50 or"),
        ("ResNet50", "did you mean resnet50"),
        ("resnext101_32x4", "did you mean resnext101_32x4d or"),
        ("efficientnetv2_s", "did you mean efficientnet_v2_s"),
        ("vit", "did you mean vit_"),
        ("vgg16", "expected a torchvision network such as"),
        ("timm/", "expected a torchvision network such as"),
        ("", "did you mean|expected a torchvision"),
    ],
)
def test_a_wrong_name_leads_to_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint) as caught:
        check_backbone(name)
    assert len(str(caught.value)) < 200
    with pytest.raises(ValueError, match="backbone got"):
        build_backbone(name)


def test_only_transformers_have_a_class_token() -> None:
    with pytest.raises(ValueError, match="resnet18 has no class token"):
        build_backbone("resnet18", class_token=True)
    assert on_meta("vit_l_16", class_token=True)(
        torch.zeros(3, 3, 64, 64, device="meta")
    ).shape == (3, 1024, 1, 1)
