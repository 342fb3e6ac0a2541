"""Checkpoints: round trip, and every way in which a file can be wrong."""

from pathlib import Path
from typing import Any

import pytest
import torch

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.checkpoint import (
    check_resumable,
    pack_metadata,
    read_checkpoint,
)
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.loading import load_network

CONFIG = NetworkConfig(backbone="resnet18", dims=16)


@pytest.fixture(scope="module")
def network() -> DescriptorNet:
    return DescriptorNet(CONFIG)


def content_of(network: DescriptorNet) -> dict[str, Any]:
    state = {f"network.{key}": value for key, value in network.state_dict().items()}
    metadata = pack_metadata(
        CONFIG,
        InferenceSize(64, "short_side"),
        trained_at=32,
        optimizer="adamw",
        recipe={"views": {"name": "advanced"}, "batch_size": 8},
    )
    return {"state_dict": state, "global_step": 7, **metadata}


def test_round_trip(network: DescriptorNet, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    torch.save(content_of(network), path)
    loaded = load_network(path)
    assert loaded.network.config == CONFIG
    assert loaded.inference == InferenceSize(64, "short_side")
    assert loaded.recipe == {"views": {"name": "advanced"}, "batch_size": 8}
    assert not loaded.network.training
    for key, value in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[key], value)


def broken(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "broken.ckpt"
    torch.save(content, path)
    with pytest.raises(UserError) as caught:
        load_network(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_missing_key_is_named(network: DescriptorNet, tmp_path: Path) -> None:
    content = content_of(network)
    del content["state_dict"]["network.head.weight"]
    assert "'head.weight' is missing" in broken(tmp_path, content)


def test_unknown_key_is_named(network: DescriptorNet, tmp_path: Path) -> None:
    content = content_of(network)
    content["state_dict"]["network.tail"] = torch.zeros(1)
    assert "'tail' is unknown" in broken(tmp_path, content)


def test_other_shape_is_named(network: DescriptorNet, tmp_path: Path) -> None:
    content = content_of(network)
    content["state_dict"]["network.head.weight"] = torch.zeros(8, 512)
    message = broken(tmp_path, content)
    assert "'head.weight' has shape (8, 512), expected (16, 512)" in message
    assert "resnet18 with 16 dimensions" in message


def test_other_architecture(network: DescriptorNet, tmp_path: Path) -> None:
    content = content_of(network)
    content["sscd"]["network"]["backbone"] = "resnet50"
    assert "does not fit resnet50" in broken(tmp_path, content)


def test_a_checkpoint_without_a_head_has_the_channels_as_dims(
    network: DescriptorNet, tmp_path: Path
) -> None:
    content = content_of(network)
    content["sscd"]["network"]["head"] = "none"
    message = broken(tmp_path, content)
    assert "describes no network: dims got 16, and head is none; expected 512" in message
    content["sscd"]["network"]["dims"] = 512
    assert "'head.weight' is unknown (and 1 more)" in broken(tmp_path, content)


def test_nonsense_metadata(network: DescriptorNet, tmp_path: Path) -> None:
    content = content_of(network)
    content["sscd"]["network"] = {"colour": "red"}
    assert "describes no network" in broken(tmp_path, content)
    content["sscd"]["format"] = 99
    assert "format 99" in broken(tmp_path, content)


def test_somebody_elses_file_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(UserError, match=r"a\.ckpt was not written by `sscd train`"):
        read_checkpoint(path)
    path.write_bytes((8).to_bytes(8, "little") + b"{}      ")  # a safetensors file is not, either
    with pytest.raises(UserError, match=r"a\.ckpt was not written by `sscd train`"):
        check_resumable(path, CONFIG, optimizer="adamw")


def test_code_in_a_checkpoint_is_refused(tmp_path: Path) -> None:
    assert "holds code" in broken(tmp_path, {"sscd": Path("x"), "state_dict": print})


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 not a zip"])
def test_not_a_checkpoint(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.ckpt is (damaged|no plain checkpoint)"):
        read_checkpoint(path)


def test_truncated(network: DescriptorNet, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    torch.save(content_of(network), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="damaged"):
        read_checkpoint(path)


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_checkpoint(tmp_path / "none.ckpt")
    with pytest.raises(UserError, match="does not exist"):
        read_checkpoint(tmp_path)


def test_resuming_needs_the_same_network_and_optimizer(
    network: DescriptorNet, tmp_path: Path
) -> None:
    path = tmp_path / "a.ckpt"
    torch.save(content_of(network), path)
    assert check_resumable(path, CONFIG, optimizer="adamw") == 7
    with pytest.raises(UserError, match=r"dims 16, and model\.network\.dims is 8"):
        check_resumable(path, NetworkConfig(backbone="resnet18", dims=8), optimizer="adamw")
    with pytest.raises(UserError, match="holds the state of adamw"):
        check_resumable(path, CONFIG, optimizer="lars")


def test_a_checkpoint_of_before_a_setting_is_resumed_with_its_default(
    network: DescriptorNet, tmp_path: Path
) -> None:
    path = tmp_path / "a.ckpt"
    content = content_of(network)
    for setting in ("pooling", "head", "gem_p_inference", "last_stage"):
        del content["sscd"]["network"][setting]
    torch.save(content, path)
    assert check_resumable(path, CONFIG, optimizer="adamw") == 7
    assert load_network(path).network.config == CONFIG
    with pytest.raises(UserError, match=r"pooling gem, and model\.network\.pooling is avg"):
        check_resumable(path, NetworkConfig("resnet18", 16, pooling="avg"), optimizer="adamw")
    with pytest.raises(UserError, match=r"last_stage 4, and model\.network\.last_stage is 3"):
        check_resumable(path, NetworkConfig("resnet18", 16, last_stage=3), optimizer="adamw")
