"""Where a training begins: files of every kind, other heads, other backbones, ImageNet."""

from pathlib import Path

import pytest
import torch
from torchvision import models

from sscd.errors import UserError
from sscd.models.checkpoint import pack_metadata
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.starting import start_from
from tests.models.networks import INFERENCE, small_network, write_checkpoint
from tests.models.published.files import MIXUP_TORCHVISION, random_weights


def test_a_file_gives_backbone_and_head(tmp_path: Path) -> None:
    network = small_network(seed=1)
    assert start_from(network, str(write_checkpoint(tmp_path / "a.ckpt", seed=2))) is None
    for key, value in small_network(seed=2).state_dict().items():
        assert torch.equal(network.state_dict()[key], value), key


def test_another_head_stays_random_and_is_told(tmp_path: Path) -> None:
    network = small_network(dims=5, seed=1)
    head = network.head.weight.detach().clone()
    note = start_from(network, str(write_checkpoint(tmp_path / "a.ckpt", seed=2)))
    assert note is not None
    assert "descriptors of 8 dimensions, and model.network.dims is 5" in note
    assert torch.equal(network.head.weight, head)
    for key, value in small_network(seed=2).backbone.state_dict().items():
        assert torch.equal(network.backbone.state_dict()[key], value), key


def test_another_pooling_takes_the_same_weights(tmp_path: Path) -> None:
    network = DescriptorNet(NetworkConfig("resnet18", 8, gem_p=4.0, pooling="avg"))
    assert start_from(network, str(write_checkpoint(tmp_path / "a.ckpt"))) is None
    assert torch.equal(network.head.weight, small_network().head.weight)


def write_network(path: Path, network: DescriptorNet) -> str:
    weights = {f"network.{key}": value for key, value in network.state_dict().items()}
    metadata = pack_metadata(network.config, INFERENCE, trained_at=32, optimizer="adamw")
    torch.save({"state_dict": weights, "global_step": 0, **metadata}, path)
    return str(path)


def test_an_earlier_stage_starts_from_a_whole_backbone(tmp_path: Path) -> None:
    config = NetworkConfig("resnet18", 8, pooling="attention", last_stage=3)
    network, whole = DescriptorNet(config), small_network(seed=2)
    head = network.head.weight.detach().clone()
    note = start_from(network, write_network(tmp_path / "a.ckpt", whole))
    assert note is not None
    assert "has the head of stage 4, and the last is 3" in note
    assert torch.equal(network.head.weight, head)
    for key, value in network.backbone.state_dict().items():
        assert torch.equal(value, whole.backbone.state_dict()[key]), key
    assert start_from(DescriptorNet(config), write_network(tmp_path / "b.ckpt", network)) is None
    with pytest.raises(UserError, match=r"b\.ckpt ends at stage 3, and model\.network\.last_st"):
        start_from(whole, str(tmp_path / "b.ckpt"))


def test_a_network_without_a_head_takes_and_gives_the_backbone_alone(tmp_path: Path) -> None:
    headless = DescriptorNet(NetworkConfig("resnet18", 512, head="none"))
    assert start_from(headless, str(write_checkpoint(tmp_path / "a.ckpt", seed=2))) is None
    other = DescriptorNet(NetworkConfig("resnet18", 512))
    note = start_from(other, write_network(tmp_path / "b.ckpt", headless))
    assert note is not None
    assert "b.ckpt has no head: the backbone starts from the file" in note
    for key, value in small_network(seed=2).backbone.state_dict().items():
        assert torch.equal(other.backbone.state_dict()[key], value), key


def test_another_backbone_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "a.ckpt")
    network = DescriptorNet(NetworkConfig("resnet34", 8))
    with pytest.raises(UserError, match=r"holds a resnet18, and model\.network\.backbone is resne"):
        start_from(network, str(path))


def test_published_weights_give_a_new_dimension(tmp_path: Path) -> None:
    weights = random_weights(MIXUP_TORCHVISION)
    torch.save(weights, tmp_path / MIXUP_TORCHVISION)
    network = DescriptorNet(NetworkConfig("resnet50", 256))
    note = start_from(network, str(tmp_path / MIXUP_TORCHVISION))
    assert note is not None
    assert "512 dimensions" in note
    own = network.state_dict()
    assert all(torch.equal(own[k], v) for k, v in weights.items() if "backbone.fc" not in k)


def test_the_memory_format_stays(tmp_path: Path) -> None:
    network = small_network(seed=1).to(memory_format=torch.channels_last)
    start_from(network, str(write_checkpoint(tmp_path / "a.ckpt")))
    kernel = network.state_dict()["backbone.layer1.0.conv1.weight"]
    assert kernel.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", ["nowhere.ckpt", "ImageNet", "."])
def test_what_is_no_file(name: str) -> None:
    with pytest.raises(UserError, match=r"model\.weights .* is neither imagenet nor a file"):
        start_from(small_network(), name)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache in a folder of its own, and a host that nobody answers for."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checkpoints = tmp_path / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    return checkpoints


@pytest.mark.parametrize(
    "backbone",
    [
        "resnet18",
        "efficientnet_b0",
        pytest.param("convnext_tiny", marks=pytest.mark.slow),
        pytest.param("vit_b_32", marks=pytest.mark.slow),
    ],
)
def test_imagenet_is_taken_from_torchs_cache(backbone: str, hub: Path) -> None:
    weights = models.get_model_weights(backbone).DEFAULT
    theirs = getattr(models, backbone)(weights=None)
    # Older files have no counters of batches.
    state = {k: v for k, v in theirs.state_dict().items() if not k.endswith("_tracked")}
    torch.save(state, hub / Path(weights.url).name)
    network = DescriptorNet(NetworkConfig(backbone, 8))
    head = network.head.weight.detach().clone()
    assert start_from(network, "imagenet") is None
    started = network.backbone.state_dict()
    assert len(started) > 50
    assert all(torch.equal(value, state[key]) for key, value in started.items() if key in state)
    assert torch.equal(network.head.weight, head)


def test_positions_of_a_higher_resolution_are_interpolated(hub: Path) -> None:
    weights = models.get_model_weights("vit_b_32").DEFAULT
    larger = models.vit_b_32(weights=None, image_size=384)
    torch.save(larger.state_dict(), hub / Path(weights.url).name)
    network = DescriptorNet(NetworkConfig("vit_b_32", 8))
    start_from(network, "imagenet")
    positions = network.state_dict()["backbone.encoder.pos_embedding"]
    assert positions.shape == (1, 50, 768)
    token = larger.encoder.pos_embedding[:, :1]
    torch.testing.assert_close(positions[:, :1], token)


def test_imagenet_that_cannot_be_fetched(hub: Path) -> None:
    with pytest.raises(UserError) as caught:
        start_from(small_network(), "imagenet")
    message = str(caught.value)
    assert "\n" not in message
    assert "resnet18-f37072fd.pth cannot be fetched" in message
    assert f"put that file at {hub / 'resnet18-f37072fd.pth'}" in message


def test_imagenet_that_is_damaged(hub: Path) -> None:
    (hub / "resnet18-f37072fd.pth").write_bytes(b"half a download")
    with pytest.raises(UserError, match=r"resnet18-f37072fd\.pth is damaged"):
        start_from(small_network(), "imagenet")
    torch.save({"conv1.weight": torch.zeros(1)}, hub / "resnet18-f37072fd.pth")
    with pytest.raises(UserError, match="imagenet does not fit resnet18") as caught:
        start_from(small_network(), "imagenet")
    assert "\n" not in str(caught.value)


def test_imagenet_that_nobody_offers(hub: Path) -> None:
    network = DescriptorNet(NetworkConfig("resnext101_32x4d", 8))
    with pytest.raises(UserError, match="torchvision has no weights for resnext101_32x4d"):
        start_from(network, "imagenet")


def test_a_learnt_exponent_goes_on(tmp_path: Path) -> None:
    learnt = NetworkConfig("resnet18", 8, gem_p_learnt=True)
    trained = DescriptorNet(learnt)
    trained.state_dict()["pool.p"].fill_(4.25)
    file = write_network(tmp_path / "a.ckpt", trained)
    network = DescriptorNet(learnt)
    assert start_from(network, file) is None
    assert float(network.state_dict()["pool.p"]) == 4.25
    fixed = DescriptorNet(NetworkConfig("resnet18", 8, gem_p=2.0))
    assert start_from(fixed, file) is None
    assert fixed.config.gem_p == 2.0
    # And one that learns it starts from a file where it was fixed.
    network = DescriptorNet(learnt)
    assert start_from(network, write_network(tmp_path / "b.ckpt", fixed)) is None
    assert float(network.state_dict()["pool.p"]) == 3.0
