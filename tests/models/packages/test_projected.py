"""Networks with a projection in every format, and files whose projection is damaged."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.packages.capture import capture
from sscd.models.packages.card import ModelCard
from sscd.models.packages.card_page import card_page
from sscd.models.packages.metadata import pack_info
from sscd.models.packages.onnx_file import open_session, run_session, write_onnx
from sscd.models.packages.safetensors_file import read_info, read_package, write_package
from sscd.models.packages.torch_export_file import open_program, write_torch_export
from sscd.models.projection import DescriptorProjection
from sscd.models.starting import start_from
from tests.models.networks import small_network
from tests.models.packages.packed import small_trained

FACTS = {"kind": "whiten", "from_dims": 8, "dims": 5, "pictures": 20, "data": "photos"}


def projected() -> TrainedNetwork:
    network = small_network()
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(8, 5, generator=generator)
    network.projection = DescriptorProjection(torch.full((8,), 0.1), matrix)
    stricter = replace(small_trained().threshold, precision=0.99, score=-0.25)  # type: ignore[type-var]
    known = {"projection": FACTS, "stricter": stricter, "calibration": {"scores": [1.0]}}
    return replace(small_trained(), network=network, **known)  # type: ignore[arg-type]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    trained = projected()
    write_package(tmp_path / "a.safetensors", trained, ModelCard.of(trained, name="small"))
    return tmp_path / "a.safetensors"


def test_safetensors(package: Path) -> None:
    read, written = read_package(package), projected()
    for name in ("projection", "stricter", "calibration", "threshold"):
        assert getattr(read, name) == getattr(written, name), name
    assert read.name == "small"
    assert read.network.dims == 5
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(read.network(pictures), written.network(pictures))


@pytest.mark.slow
def test_graphs(tmp_path: Path) -> None:
    trained = projected()
    captured, texts = capture(trained), pack_info(trained, ModelCard.of(trained, name="small"))
    assert write_onnx(tmp_path / "a.onnx", captured, texts) <= 1e-5
    assert write_torch_export(tmp_path / "a.pt2", captured, texts) <= 1e-5
    pictures = torch.randint(0, 256, (2, 3, 70, 91), dtype=torch.uint8)
    with torch.no_grad():
        expected = trained.network(pictures)
        assert expected.shape == (2, 5)
        torch.testing.assert_close(open_program(tmp_path / "a.pt2")(pictures), expected)
    found = run_session(open_session(tmp_path / "a.onnx"), pictures)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_the_card_says_so(package: Path) -> None:
    page = card_page(read_info(package).card)
    assert "whiten from 8 to 5 dimensions, learnt on 20 pictures of `photos`" in page
    assert "They are of the network before its projection." in page
    assert "At 90% precision" in page
    assert "At 99% precision" in page
    assert "a cosine of at least 0.8750" in page


def damaged(package: Path, **tensors: torch.Tensor | None) -> str:
    with safe_open(package, framework="pt") as file:
        kept = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        texts = file.metadata()
    for part, value in tensors.items():
        del kept[f"projection.{part}"]
        if value is not None:
            kept[f"projection.{part}"] = value
    save_file(kept, package, metadata=texts)
    with pytest.raises(UserError) as caught:
        read_package(package)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_damaged_projections(package: Path) -> None:
    whole = package.read_bytes()
    for change, expected in (
        ({"mean": None}, "'projection.matrix' is unknown"),
        ({"mean": None, "matrix": None}, "damaged or was changed"),
        ({"mean": torch.zeros(7)}, "got mean (7,), matrix (8, 5)"),
        ({"mean": torch.zeros(7), "matrix": torch.zeros(7, 5)}, "takes 7 dimensions"),
        ({"matrix": torch.full((8, 5), torch.nan)}, "not finite"),
        ({"matrix": torch.ones(8, 5)}, "damaged or was changed"),
    ):
        package.write_bytes(whole)
        assert expected in damaged(package, **change), change


def test_a_training_starts_from_what_comes_before_it(package: Path) -> None:
    network = small_network(seed=1)
    line = start_from(network, str(package))
    assert line == f"model.weights {package} has a projection after its head: it is left out"
    assert torch.equal(network.head.weight, small_network().head.weight)
    assert network.projection is None
