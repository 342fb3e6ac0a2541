"""Two real gloo processes against one process that holds the whole batch."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.gather import gather_varying, global_mean
from sscd.training.objective import Objective, compute_objective

RANKS = 2
ROWS = 8  # of each rank


def whole_batch() -> tuple[Tensor, Tensor]:
    """Inputs of all ranks, and picture numbers of which some span ranks and one is alone."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(RANKS * ROWS, 10, generator=generator)
    pictures = torch.tensor([0, 0, 1, 1, 2, 2, 3, 4, 5, 5, 6, 6, 7, 7, 3, 8]).unsqueeze(1)
    return x, pictures


def small_network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 6))


def real_network() -> nn.Module:
    """A descriptor network with batch norm frozen, since statistics differ by rank."""
    torch.manual_seed(3)
    return DescriptorNet(NetworkConfig(backbone="resnet18", dims=6)).eval()


def pictures_of(x: Tensor) -> Tensor:
    """Rows of numbers as small normalised pictures."""
    return x.repeat(1, 308)[:, :3072].view(-1, 3, 32, 32)


def objective_of(network: nn.Module, x: Tensor, pictures: Tensor) -> Objective:
    described = functional.normalize(network(x), dim=1)
    return compute_objective(described, pictures, temperature=0.1, entropy_weight=3.0)


def _step(rank: int, store: str, out: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS
    )
    x, pictures = (part[rank * ROWS : (rank + 1) * ROWS] for part in whole_batch())
    network = DistributedDataParallel(small_network())
    step = objective_of(network, x, pictures)
    step.loss.backward()  # type: ignore[no-untyped-call]
    values = torch.stack([step.loss.detach(), step.info_nce, step.entropy])
    distributed.all_reduce(values)
    varying = gather_varying(torch.arange(3 * rank, 3 * rank + rank + 1))
    frozen = DistributedDataParallel(real_network())
    objective_of(frozen, pictures_of(x), pictures).loss.backward()  # type: ignore[no-untyped-call]
    if rank == 0:
        gradients = [p.grad for p in network.parameters()]
        real = [p.grad for p in frozen.parameters()]
        told = {"values": values / RANKS, "grads": gradients, "varying": varying, "real": real}
        torch.save(told, out)
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def distributed_step(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    folder: Path = tmp_path_factory.mktemp("gloo")
    out = folder / "out.pt"
    spawn(_step, args=(str(folder / "store"), str(out)), nprocs=RANKS)  # type: ignore[no-untyped-call]
    loaded: dict[str, Tensor] = torch.load(out)
    return loaded


def test_loss_of_two_ranks_equals_that_of_one(distributed_step: dict[str, Tensor]) -> None:
    step = objective_of(small_network(), *whole_batch())
    expected = torch.stack([step.loss.detach(), step.info_nce, step.entropy])
    torch.testing.assert_close(distributed_step["values"], expected, rtol=1e-5, atol=1e-5)


def test_gradients_of_two_ranks_equal_those_of_one(distributed_step: dict[str, Tensor]) -> None:
    network = small_network()
    objective_of(network, *whole_batch()).loss.backward()  # type: ignore[no-untyped-call]
    expected = [p.grad for p in network.parameters()]
    assert any(g is not None and g.abs().max() > 1e-3 for g in expected)
    for got, want in zip(distributed_step["grads"], expected, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


def test_gradients_of_a_real_network_are_equal_too(distributed_step: dict[str, Tensor]) -> None:
    network = real_network()
    x, pictures = whole_batch()
    objective_of(network, pictures_of(x), pictures).loss.backward()  # type: ignore[no-untyped-call]
    expected = [p.grad for p in network.parameters()]
    assert any(g is not None and g.abs().max() > 1e-3 for g in expected)
    for got, want in zip(distributed_step["real"], expected, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_varying_rows_are_gathered_in_rank_order(distributed_step: dict[str, Tensor]) -> None:
    assert distributed_step["varying"].tolist() == [0, 3, 4]


def test_global_mean_leaves_invalid_rows_out() -> None:
    losses = torch.tensor([1.0, 0.0, 3.0])
    assert float(global_mean(losses, torch.tensor([True, False, True]))) == 2.0
    assert float(global_mean(torch.zeros(2), torch.tensor([False, False]))) == 0.0


def test_autocast_does_not_reach_the_loss() -> None:
    x, pictures = whole_batch()
    described = functional.normalize(x, dim=1)
    plain = compute_objective(described, pictures, temperature=0.05, entropy_weight=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = compute_objective(described, pictures, temperature=0.05, entropy_weight=1.0)
    assert cast.loss.dtype == torch.float32
    torch.testing.assert_close(cast.loss, plain.loss, rtol=0, atol=0)


def test_no_entropy_weight_leaves_the_entropy_out() -> None:
    x, pictures = whole_batch()
    described = functional.normalize(x, dim=1)
    step = compute_objective(described, pictures, temperature=0.05, entropy_weight=0.0)
    assert float(step.loss) == float(step.info_nce)
    assert float(step.entropy) != 0
