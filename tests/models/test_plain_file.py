"""Files that are no networks: what each is, in one line, without running what it contains."""

import argparse
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sscd.errors import UserError
from sscd.models.loading import load_network
from sscd.models.plain_file import kind_of, read_plain


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_network(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html><body>404", "is a web page"),
        (b"\n  <html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git lfs pull"),
        (b"hello", "is no plain checkpoint: torch cannot read it"),
        (b"PK\x03\x04 not a zip", "is damaged"),
        (b"\x89PNG\r\n\x1a\n and so on", "is no plain checkpoint"),
        (bytes(4096), "is no plain checkpoint"),
        ((30).to_bytes(8, "little") + b'{"a": 1', "no whole safetensors file"),
    ],
)
def test_what_a_file_is(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "sscd_disc_mixup.torchvision.pt"
    path.write_bytes(content)
    assert message in refused(path)


def test_a_directory_and_nothing_at_all(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path)
    assert "does not exist" in refused(tmp_path / "none.pt")


def test_a_truncated_download(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"weights": torch.zeros(10000)}, path)
    path.write_bytes(path.read_bytes()[:5000])
    assert "is damaged" in refused(path)


class Harmful:
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (Path(__file__).parent / "harmed",)


@pytest.mark.parametrize("old_format", [False, True])
def test_code_is_not_run(old_format: bool, tmp_path: Path) -> None:
    path = tmp_path / "epoch=1.ckpt"
    content = {"state_dict": {}, "hyper_parameters": Harmful()}
    torch.save(content, path, _use_new_zipfile_serialization=not old_format)
    message = refused(path)
    assert not (Path(__file__).parent / "harmed").exists()
    assert "is no plain checkpoint" in message
    if not old_format:  # of the other, the names are not known without reading it
        assert "it holds code (" in message
        assert "in torch.load('epoch=1.ckpt', weights_only=False).items()" in message
        assert "if k in ('state_dict', 'model_state')}, 'epoch=1.weights.pt')" in message


def test_a_bare_pickle(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(pickle.dumps(Harmful()))
    assert "is no plain checkpoint" in refused(path)
    assert not (Path(__file__).parent / "harmed").exists()


def test_a_namespace_of_settings_is_no_code(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"args": argparse.Namespace(dims=512)}, path)
    assert read_plain(path)["args"].dims == 512


def test_programs_are_not_networks(tmp_path: Path) -> None:
    exported = torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),))
    path = tmp_path / "network.pt2"
    torch.export.save(exported, path)
    assert "is a torch.export program" in refused(path)
    path = tmp_path / "network.onnx"
    path.write_bytes(b"\x08\x08\x12\x07pytorch")
    assert "is an ONNX graph" in refused(path)


def test_a_program_does_not_pass_for_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.jit.script(nn.Linear(2, 2)).save(path)  # type: ignore[no-untyped-call]
    assert "a TorchScript program" in refused(path)
    assert kind_of(path.rename(tmp_path / "a.pt")) == "torchscript"


def test_kinds(tmp_path: Path) -> None:
    pickled = tmp_path / "a.safetensors"  # the content decides, not the name
    torch.save({}, pickled)
    assert kind_of(pickled) == "pickled"
    safetensors = tmp_path / "a.ckpt"
    safetensors.write_bytes((2).to_bytes(8, "little") + b"{}")
    assert kind_of(safetensors) == "safetensors"
