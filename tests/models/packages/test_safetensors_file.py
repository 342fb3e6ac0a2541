"""Packages of safetensors: round trip, and every way in which a file can be wrong."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from sscd.errors import UserError
from sscd.models.fingerprint import network_fingerprint
from sscd.models.loading import load_network
from sscd.models.packages.safetensors_file import read_package, write_package
from tests.models.networks import small_network, write_checkpoint
from tests.models.packages.packed import small_card, small_trained

Tensors = dict[str, torch.Tensor]
Texts = dict[str, str]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    trained = small_trained()
    write_package(tmp_path / "a.safetensors", trained, small_card(trained))
    return tmp_path / "a.safetensors"


def test_round_trip(package: Path) -> None:
    written, read = small_trained(), read_package(package)
    for name in ("inference", "recipe", "figures", "threshold", "licence"):
        assert getattr(read, name) == getattr(written, name)
    assert read.network.config == written.network.config
    assert not read.network.training
    for key, value in written.network.state_dict().items():
        assert torch.equal(read.network.state_dict()[key], value)
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(read.network(pictures), written.network(pictures))


def test_the_fingerprint_is_the_checkpoints(tmp_path: Path) -> None:
    trained = load_network(write_checkpoint(tmp_path / "a.ckpt"))
    trained.network.to(memory_format=torch.channels_last)
    write_package(tmp_path / "a.safetensors", trained, small_card(trained))
    read = load_network(tmp_path / "a.safetensors")
    assert network_fingerprint(read.network) == network_fingerprint(trained.network)
    assert read.threshold is None
    assert read.licence == ""


def test_other_readers_find_what_they_expect(package: Path) -> None:
    with safe_open(package, framework="pt") as file:
        texts = file.metadata()
        assert set(file.keys()) == set(small_network().state_dict())
    assert texts["format"] == "pt"
    assert json.loads(texts["sscd.model_card"])["preprocessing"]["size"] == 64
    assert json.loads(texts["sscd.inference"]) == {"size": 64, "mode": "square"}


def message_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_package(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def rewritten(package: Path, change: Callable[[Tensors, Texts], None]) -> str:
    with safe_open(package, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        texts: Texts = dict(file.metadata())
    change(tensors, texts)
    save_file(tensors, package, metadata=texts)
    return message_of(package)


def test_a_missing_key_is_named(package: Path) -> None:
    message = rewritten(package, lambda tensors, _: tensors.pop("head.bias"))  # type: ignore[arg-type]
    assert "'head.bias' is missing" in message


def test_an_extra_key_is_named(package: Path) -> None:
    def change(tensors: Tensors, texts: Texts) -> None:
        tensors["tail"] = torch.zeros(1)

    assert "'tail' is unknown" in rewritten(package, change)


def test_another_shape_is_named(package: Path) -> None:
    def change(tensors: Tensors, texts: Texts) -> None:
        tensors["head.bias"] = torch.zeros(3)

    assert "'head.bias' has shape (3,), expected (8,)" in rewritten(package, change)


@pytest.mark.parametrize("value", [1e-3, float("nan")])
def test_a_changed_weight_is_noticed(package: Path, value: float) -> None:
    def change(tensors: Tensors, texts: Texts) -> None:
        tensors["head.weight"][0, 0] += value

    assert "damaged or was changed" in rewritten(package, change)


def test_another_type_is_noticed(package: Path) -> None:
    def change(tensors: Tensors, texts: Texts) -> None:
        tensors["head.weight"] = tensors["head.weight"].half()

    assert "damaged or was changed" in rewritten(package, change)


def test_dimensions_that_do_not_exist_take_no_memory(package: Path) -> None:
    def change(tensors: Tensors, texts: Texts) -> None:
        card = json.loads(texts["sscd.model_card"])
        card["network"]["dims"] = 10**12
        texts["sscd.model_card"] = json.dumps(card)

    assert "1000000000000 dimensions" in rewritten(package, change)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("sscd.format", "99", "format '99'"),
        ("sscd.format", "x" * 1000, "format 'xxxxxxxxxxxxxxxxxxxx'"),
        ("sscd.inference", "{", "describes no network"),
        ("sscd.inference", '{"size": 3}', "size got 3"),
        ("sscd.inference", "[1, 2]", "describes no network"),
        ("sscd.inference", '{"size": 32.5}', "size got 32.5"),
        ("sscd.inference", '{"mode": "cube"}', "mode got 'cube'"),
        ("sscd.model_card", "{}", "the model card has no name"),
        ("sscd.model_card", "[" * 100_000, "describes no network"),
    ],
)
def test_texts_that_lie(package: Path, key: str, text: str, expected: str) -> None:
    assert expected in rewritten(package, lambda _, texts: texts.update({key: text}))


@pytest.mark.parametrize(
    "network", [{"backbone": "vgg"}, {"colour": "red"}, {"dims": "many"}, {"backbone": 5}]
)
def test_a_card_of_no_network(package: Path, network: dict[str, Any]) -> None:
    def change(tensors: Tensors, texts: Texts) -> None:
        card = json.loads(texts["sscd.model_card"])
        texts["sscd.model_card"] = json.dumps(card | {"network": card["network"] | network})

    assert "describes no network" in rewritten(package, change)


def test_somebody_elses_file(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    assert "was not written by `sscd export --model-only`" in message_of(path)
    save_file({"weight": torch.zeros(2)}, path, metadata={"format": "pt"})
    assert "no 'sscd.format'" in message_of(path)


@pytest.mark.parametrize("keep", [0, 4, 100, 5000, -1])
def test_truncated(package: Path, keep: int) -> None:
    package.write_bytes(package.read_bytes()[:keep])
    assert "no whole safetensors file" in message_of(package)


def test_a_header_that_lies(package: Path) -> None:
    content = package.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length]
    assert b'"F32"' in header
    package.write_bytes(content[:8] + header.replace(b'"F32"', b'"F64"', 1) + content[8 + length :])
    assert "no whole safetensors file" in message_of(package)
    package.write_bytes((2**62).to_bytes(8, "little") + content[8:])
    assert "no whole safetensors file" in message_of(package)


def test_absent(tmp_path: Path) -> None:
    assert "does not exist" in message_of(tmp_path / "none.safetensors")
    assert "does not exist" in message_of(tmp_path)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    trained = small_trained()
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write"):
        write_package(tmp_path / "file" / "a.safetensors", trained, small_card(trained))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_names_may_hold_bytes_that_are_no_text(tmp_path: Path) -> None:
    trained = small_trained()
    card = dataclasses.replace(small_card(trained), recipe={"set": "\udcff", "also": "übung"})
    write_package(tmp_path / "a.safetensors", trained, card)
    assert read_package(tmp_path / "a.safetensors").recipe == card.recipe
