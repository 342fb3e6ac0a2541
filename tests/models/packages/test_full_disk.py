"""A disk that is full: one line, no half file, and the process lives on."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.models.packages.capture import capture
from sscd.models.packages.metadata import pack_info
from sscd.models.packages.onnx_file import write_onnx
from sscd.models.packages.safetensors_file import write_package
from sscd.models.packages.torch_export_file import write_torch_export
from tests.models.packages.packed import small_card, small_trained


@pytest.fixture
def no_space() -> Iterator[None]:
    """Files end at 1 MB here, which the kernel reports as it does a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write(path: Path) -> None:
    trained, card = small_trained(), small_card()
    texts = pack_info(trained, card)
    if path.suffix == ".safetensors":
        write_package(path, trained, card)
    elif path.suffix == ".onnx":
        write_onnx(path, capture(trained), texts)
    else:
        write_torch_export(path, capture(trained), texts)


@pytest.mark.parametrize(
    "name", ["a.safetensors", pytest.param("a.onnx", marks=pytest.mark.slow), "a.pt2"]
)
def test_a_full_disk(name: str, tmp_path: Path, no_space: None) -> None:
    with pytest.raises(UserError, match=rf"cannot write .*{name}: .*large.*has space"):
        write(tmp_path / name)
    assert not list(tmp_path.iterdir())
