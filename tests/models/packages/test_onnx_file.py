"""ONNX: what ONNX Runtime computes is what torch does, and what the file says of itself."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from sscd.errors import UserError
from sscd.models.packages import onnx_file
from sscd.models.packages.capture import Capture, capture
from sscd.models.packages.metadata import pack_info, unpack_info
from sscd.models.packages.onnx_file import open_session, run_session, write_onnx
from tests.models.packages.packed import small_card, small_trained


@pytest.fixture(scope="module")
def captured() -> Capture:
    return capture(small_trained())


@pytest.fixture(scope="module")
def written(captured: Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "a.onnx"
    trained = small_trained()
    assert write_onnx(path, captured, pack_info(trained, small_card(trained))) <= 1e-5
    return path


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (4, 3, 64, 64), (2, 3, 75, 120)])
def test_onnx_runtime_agrees_with_torch(written: Path, shape: tuple[int, ...]) -> None:
    pictures = torch.randint(0, 256, shape, dtype=torch.uint8)
    found = run_session(open_session(written), pictures)
    with torch.no_grad():
        expected = small_trained().network(pictures)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(np.linalg.norm(found.numpy(), axis=1), 1, atol=1e-5)


def test_inputs_and_outputs_have_names_and_free_sizes(written: Path) -> None:
    model = onnx.load(written)
    onnx.checker.check_model(model)
    (given,), (made,) = model.graph.input, model.graph.output
    assert (given.name, made.name) == ("pictures", "descriptors")
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    dims = [dim.dim_param or dim.dim_value for dim in given.type.tensor_type.shape.dim]
    assert dims == ["batch", 3, "height", "width"]
    dims = [dim.dim_param or dim.dim_value for dim in made.type.tensor_type.shape.dim]
    assert dims == ["batch", 8]


def test_the_card_comes_with_it(written: Path) -> None:
    texts = open_session(written).get_modelmeta().custom_metadata_map
    info = unpack_info(texts, path=written)
    assert info.card == small_card()
    assert info.inference == small_trained().inference
    assert json.loads(texts["sscd.model_card"])["threshold"]["similarity"] == 0.75


def test_it_names_no_file_of_this_machine(written: Path) -> None:
    content = written.read_bytes()
    assert b"site-packages" not in content
    assert str(Path(__file__).parents[3]).encode() not in content


def test_a_file_that_disagrees_is_not_left(captured: Capture, tmp_path: Path) -> None:
    other = Capture(small_trained(seed=1).network, captured.program, None, 64)
    with pytest.raises(UserError, match="differ from torch's"):
        write_onnx(tmp_path / "a.onnx", other, {})
    assert list(tmp_path.iterdir()) == []


def test_too_large_for_one_file(
    captured: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "LARGEST", 1_000_000)  # in place of a network of 2 GB
    with pytest.raises(UserError, match="weights do not fit one ONNX file"):
        write_onnx(tmp_path / "a.onnx", captured, {})


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["efficientnet_b0", "convnext_tiny", "vit_b_32"])
def test_other_families(backbone: str, tmp_path: Path) -> None:
    from sscd.augment.inference import InferenceSize
    from sscd.models.checkpoint import TrainedNetwork
    from sscd.models.descriptor import DescriptorNet, NetworkConfig

    torch.manual_seed(0)
    network = DescriptorNet(NetworkConfig(backbone, 16)).eval()
    trained = TrainedNetwork(network, InferenceSize(64))
    assert write_onnx(tmp_path / "a.onnx", capture(trained), {}) <= 1e-4
