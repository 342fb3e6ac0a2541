"""Captured networks: any batch and size where that can be, one size where not, and disagreement."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from sscd.augment.inference import InferenceSize
from sscd.errors import UserError
from sscd.models.checkpoint import TrainedNetwork
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.models.packages.capture import Capture, capture
from sscd.models.packages.onnx_file import write_onnx
from sscd.models.packages.torch_export_file import write_torch_export
from tests.models.packages.packed import small_trained


@pytest.fixture(scope="module")
def captured() -> Capture:
    return capture(small_trained())


def pictures(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (5, 3, 70, 91), (2, 3, 33, 200)])
def test_any_batch_and_size(captured: Capture, shape: tuple[int, ...]) -> None:
    assert captured.sizes == "any"
    given = pictures(*shape)
    with torch.no_grad():
        expected = small_trained().network(given)
        torch.testing.assert_close(captured.program.module()(given), expected)


def test_it_normalises_itself_and_says_so(captured: Capture) -> None:
    with pytest.raises(RuntimeError, match="dtype mismatch"):
        captured.program.module()(torch.rand(1, 3, 64, 64))


def test_it_names_no_file_of_this_machine(captured: Capture) -> None:
    assert not any("stack_trace" in node.meta for node in captured.program.graph.nodes)


def test_disagreement_is_refused(captured: Capture) -> None:
    network = captured.network
    assert captured.check(lambda given: network(given).detach() + 5e-5, what="x") > 4e-5
    with pytest.raises(UserError, match=r"x: its descriptors differ from torch's by 0\.001"):
        captured.check(lambda given: network(given).detach() + 1e-3, what="x")
    with pytest.raises(UserError, match="by nan"):
        captured.check(lambda given: network(given).detach() * torch.nan, what="x")


def test_the_network_itself_stays_as_it_is() -> None:
    trained = small_trained()
    trained.network.to(memory_format=torch.channels_last)
    before = {key: value.clone() for key, value in trained.network.state_dict().items()}
    assert capture(trained).network is not trained.network
    for key, value in trained.network.state_dict().items():
        assert torch.equal(value, before[key])


def test_small_pictures_fix_the_size() -> None:
    """A map of one cell cannot be told from one that always has one."""
    captured = capture(small_trained(size=32))
    assert captured.sizes == "32x32"
    given = pictures(4, 3, 32, 32)
    with torch.no_grad():
        expected = small_trained().network(given)
        torch.testing.assert_close(captured.program.module()(given), expected)


def test_one_size_and_pictures_of_many_do_not_go_together() -> None:
    with pytest.raises(UserError, match="add --resize square --size 32") as caught:
        capture(small_trained(size=32, mode="short_side"))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "sizes"),
    [("efficientnet_b0", "any"), ("convnext_tiny", "any"), ("vit_b_32", "64x64")],
)
def test_other_families(backbone: str, sizes: str) -> None:
    network = DescriptorNet(NetworkConfig(backbone, 16)).eval()
    captured = capture(TrainedNetwork(network, InferenceSize(64)))
    assert captured.sizes == sizes
    given = pictures(3, 3, 64, 64)
    with torch.no_grad():
        found = captured.program.module()(given)
        torch.testing.assert_close(found, network(given), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_several_scales_and_a_learnt_exponent_take_any_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = NetworkConfig("resnet18", 8, gem_p_learnt=True, scales=(2**0.5,), mirror=True)
    network = DescriptorNet(config).eval()
    captured = capture(TrainedNetwork(network, InferenceSize(64, "square")))
    assert captured.sizes == "any"
    for shape in ((1, 3, 64, 64), (3, 3, 67, 130)):
        given = pictures(*shape)
        with torch.no_grad():
            torch.testing.assert_close(captured.program.module()(given), network(given))
    assert write_onnx(tmp_path / "a.onnx", captured, {}) < 1e-5
    assert write_torch_export(tmp_path / "a.pt2", captured, {}) < 1e-5
