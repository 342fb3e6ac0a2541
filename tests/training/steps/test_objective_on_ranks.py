"""Steps of two and four real gloo processes equal those of one that holds the whole batch.

The ranks work in blocks and micro-batches under data-parallel training, against a memory, with
mixed pictures and positives on other ranks; batch norm is frozen.
"""

import pytest
import torch
from torch import Tensor

from tests.training.gloo_ranks import of_one, of_ranks

# In float64 all that differs is the order of sums; float32 is what is trained in.
CASES = pytest.mark.parametrize(
    ("world", "network", "tolerance"),
    [
        (2, "small", 1e-10),
        pytest.param(4, "small", 1e-10, marks=pytest.mark.slow),
        (2, "contrastive", 1e-10),
        pytest.param(4, "contrastive", 1e-10, marks=pytest.mark.slow),
        (2, "margin", 1e-6),
        pytest.param(4, "margin", 1e-6, marks=pytest.mark.slow),
        (2, "hard", 1e-10),
        pytest.param(4, "hard", 1e-10, marks=pytest.mark.slow),
        (2, "uniformity", 1e-10),
        pytest.param(4, "uniformity", 1e-10, marks=pytest.mark.slow),
        (2, "log_det", 1e-10),
        pytest.param(4, "log_det", 1e-10, marks=pytest.mark.slow),
        (2, "taught", 1e-10),
        pytest.param(4, "taught", 1e-10, marks=pytest.mark.slow),
        (2, "negatives", 1e-10),
        pytest.param(4, "negatives", 1e-10, marks=pytest.mark.slow),
        (2, "real", 1e-5),
        pytest.param(4, "real", 1e-5, marks=pytest.mark.slow),
    ],
)


@CASES
def test_losses(world: int, network: str, tolerance: float) -> None:
    expected = of_one(network)["losses"]
    for told in of_ranks(world):
        got = told[network]["losses"]
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
        assert got.dtype == (torch.float32 if network == "real" else torch.float64)


@CASES
def test_statistics(world: int, network: str, tolerance: float) -> None:
    for told in of_ranks(world):
        pairs = zip(told[network]["statistics"], of_one(network)["statistics"], strict=True)
        for got, expected in pairs:
            assert len(expected) == 8
            torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


@CASES
def test_gradients(world: int, network: str, tolerance: float) -> None:
    expected = of_one(network)["grads"]
    assert any(gradient.abs().max() > 1e-3 for gradient in expected.values())
    for told in of_ranks(world):
        assert list(told[network]["grads"]) == list(expected)
        for name, want in expected.items():
            got = told[network]["grads"][name]
            # Relative to the whole of a parameter: single elements of a sum may cancel out.
            scale = max(1.0, float(want.abs().max()))
            assert float((got - want).abs().max()) <= tolerance * scale, name


@CASES
def test_the_memory_is_the_same_on_every_rank(world: int, network: str, tolerance: float) -> None:
    first: dict[str, Tensor] = of_ranks(world)[0][network]["memory"]
    assert int(first["memory.count"]) == 30
    for told in of_ranks(world):
        for name, buffer in told[network]["memory"].items():
            assert torch.equal(buffer, first[name]), name
            torch.testing.assert_close(
                buffer, of_one(network)["memory"][name], rtol=tolerance, atol=tolerance
            )


@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_ranks_reduce_once(world: int) -> None:
    for told in of_ranks(world):
        assert told["reductions"] == told["plain reductions"]
        assert len(told["reductions"]) == len(set(told["reductions"])) > 0


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices and NCCL")
def test_synchronised_batch_norm() -> None:
    from tests.training.synchronised import of_one, of_two

    for got, expected in zip(of_two(), of_one(), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)
