"""A step of real gloo processes, and the same of one process that holds the whole batch."""

import dataclasses
import functools
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch._C._distributed_c10d import GradBucket
from torch.distributed.tensor.debug import CommDebugMode
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from sscd.data.loading.view_batch import ViewBatch
from sscd.losses.instance import Contrastive, InfoNCE, InstanceLoss, Margin
from sscd.losses.relations import NO_PICTURE
from sscd.losses.spread import LogDet, Nearest, Spread, Uniformity
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.ranks.gather import gather_rows, sum_over_ranks
from sscd.training.steps.memory_queue import MemoryConfig, MemoryQueue, keys_of
from sscd.training.steps.micro_batches import describe_in_micro_batches
from sscd.training.steps.objective import Objective, compute_objective
from sscd.training.steps.teacher import Teacher, TeacherConfig

PICTURES = 12  # of all ranks
MEMORY = MemoryConfig(30, entropy=True)
LOSSES: dict[str, InstanceLoss] = {
    "contrastive": Contrastive(margin=1.0, negatives=3),
    "margin": Margin(beta=1.0, most=3, seed=11, farthest=1.9),
    "hard": InfoNCE(0.1, hardness=0.7),
}
SPREADS: dict[str, Spread] = {"uniformity": Uniformity(), "log_det": LogDet()}
TAUGHT = "taught"
NEGATIVES = "negatives"  # some rows are nothing else
MICRO = {1: None, 2: 4, 4: 2}  # of 6 and 3 pictures: the last micro-batch is smaller


def whole_batch(seed: int = 7) -> tuple[Tensor, Tensor]:
    """Small normalised pictures (B, 2, 3, S, S) and contents; some span ranks, one is alone."""
    generator = torch.Generator().manual_seed(seed)
    views = torch.randn(PICTURES, 2, 3, 32, 32, generator=generator)
    contents = torch.full((PICTURES, 2, 2), NO_PICTURE)
    contents[..., 0] = torch.arange(PICTURES).unsqueeze(1)
    contents[0, 0, 1], contents[7, 1, 1], contents[4, 0, 1] = 11, 2, 5
    contents[8] = torch.tensor([[8, NO_PICTURE], [20, NO_PICTURE]])  # rows without a positive
    contents[10] = contents[1]  # four views of a picture on two ranks
    return views, contents


class SmallNetwork(nn.Module):
    def __init__(self, *, dims: int = 6) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, dims))

    def forward(self, pictures: Tensor) -> Tensor:
        few = pictures.flatten(1)[:, :12].to(next(self.parameters()).dtype)
        return functional.normalize(self.layers(few), dim=1)


def small_network() -> nn.Module:
    torch.manual_seed(3)
    return SmallNetwork().double()


def real_network() -> nn.Module:
    """A descriptor network with batch norm frozen, since statistics differ by rank."""
    torch.manual_seed(3)
    network = DescriptorNet(NetworkConfig(backbone="resnet18", dims=6)).eval()
    return network.to(memory_format=torch.channels_last)


class Step(nn.Module):
    """What a training step does, as one module for data-parallel training."""

    def __init__(
        self,
        network: nn.Module,
        *,
        micro_batch: int | None,
        block: int | None,
        loss: InstanceLoss = InfoNCE(0.1),
        spread: Spread = Nearest(),
        teacher: Teacher | None = None,
        negatives_only: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.teacher = network, teacher
        self.loss, self.spread = loss, spread
        self.negatives_only = negatives_only
        beta = loss.beta if isinstance(loss, Margin) else None
        self.beta = None if beta is None else nn.Parameter(torch.tensor(beta).double())
        self.micro_batch, self.block = micro_batch, block
        self.memory = MemoryQueue(MEMORY, dims=6).to(dtype=next(network.parameters()).dtype)
        self._ddp_params_and_buffers_to_ignore = keys_of(self.memory, prefix="memory.")

    def forward(self, views: Tensor, contents: Tensor) -> Objective:
        described = describe_in_micro_batches(self.network, views, micro_batch=self.micro_batch)
        step = compute_objective(
            described,
            contents.flatten(0, 1),
            loss=self.loss,
            entropy_weight=3.0,
            spread=self.spread,
            learnt=self.beta,
            memory=self.memory.remembered(),
            negative_only=second_of_some(contents) if self.negatives_only else None,
            block=self.block,
        )
        self.memory.enqueue(step.rows)
        if self.teacher is None:
            return step
        batch = ViewBatch(views, contents, ())
        taught = self.teacher.teach(described, batch, micro_batch=self.micro_batch)
        return dataclasses.replace(
            step, loss=step.loss + taught.loss, total=step.total + taught.total
        )


def second_of_some(contents: Tensor) -> Tensor:
    """The second view of every third picture."""
    return ((contents[..., 0] % 3 == 1) & torch.tensor([False, True])).flatten()


def small_step(name: str, *, micro_batch: int | None, block: int | None) -> Step:
    """A step of the small network with a loss and an entropy by name."""
    return Step(
        small_network(),
        micro_batch=micro_batch,
        block=block,
        loss=LOSSES.get(name, InfoNCE(0.1)),
        spread=SPREADS.get(name, Nearest()),
        teacher=small_teacher() if name == TAUGHT else None,
        negatives_only=name == NEGATIVES,
    )


def small_teacher() -> Teacher:
    """Another small network, which knows more dimensions."""
    teacher = Teacher(TeacherConfig("given.pt", weight=2.0, temperature=0.2))
    network = SmallNetwork(dims=9).double()
    generator = torch.Generator().manual_seed(5)
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator).double()
    teacher._network = network  # type: ignore[assignment]
    return teacher


def two_steps(step: nn.Module, *, rank: int = 0, world: int = 1) -> dict[str, Any]:
    """Losses, statistics and gradients of two batches, the second against the memory too."""
    losses, statistics = [], []
    share = slice(rank * PICTURES // world, (rank + 1) * PICTURES // world)
    for seed in (7, 8):
        views, contents = whole_batch(seed)
        done = step(views[share], contents[share] + 100 * (seed == 8) * (contents[share] >= 0))
        done.loss.backward()
        losses.append(done.loss.detach())
        statistics.append(done.statistics())
    parameters = {n.removeprefix("module."): p.grad for n, p in step.named_parameters()}
    memory = {n.removeprefix("module."): b for n, b in step.named_buffers() if "memory" in n}
    mean = sum_over_ranks(torch.stack(losses)) / world
    return {"losses": mean, "statistics": statistics, "grads": parameters, "memory": memory}


def reductions(world: int, *, micro_batch: int | None) -> list[int]:
    """How often each bucket of gradients is reduced in a step."""
    seen: list[int] = []

    def hook(state: None, bucket: GradBucket) -> torch.futures.Future[Tensor]:
        seen.append(bucket.index())
        buffer = bucket.buffer() / world
        work = distributed.all_reduce(buffer, async_op=True)
        return work.get_future().then(lambda future: future.value()[0])

    parallel = DistributedDataParallel(Step(small_network(), micro_batch=micro_batch, block=None))
    parallel.register_comm_hook(None, hook)
    views, contents = whole_batch()
    parallel(views[: PICTURES // world], contents[: PICTURES // world]).loss.backward()
    return seen


def gathered(rank: int) -> dict[str, Any]:
    """The gradient of Σ (rank + 1) · gathered · weight, and what was communicated for it."""
    rows = (torch.arange(6.0).reshape(3, 2) + 10 * rank).requires_grad_()
    with CommDebugMode() as forward:  # type: ignore[no-untyped-call]
        everywhere = gather_rows(rows)
    weight = torch.arange(everywhere.numel(), dtype=torch.float32).view_as(everywhere)
    with CommDebugMode() as backward:  # type: ignore[no-untyped-call]
        ((rank + 1) * everywhere * weight).sum().backward()  # type: ignore[no-untyped-call]
    return {
        "rows": everywhere.detach(),
        "grad": rows.grad,
        "contents": gather_rows(torch.tensor([[rank]])),
        "forward": [str(op) for op in forward.comm_counts],
        "backward": [str(op) for op in backward.comm_counts],
    }


def _work(rank: int, world: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world
    )
    told: dict[str, Any] = {"gathered": gathered(rank)}
    for name, network in (("small", small_network()), ("real", real_network())):
        step = DistributedDataParallel(Step(network, micro_batch=MICRO[world], block=5))
        told[name] = two_steps(step, rank=rank, world=world)
    for name in (*LOSSES, *SPREADS, TAUGHT, NEGATIVES):
        alone = small_step(name, micro_batch=MICRO[world], block=5)
        told[name] = two_steps(DistributedDataParallel(alone), rank=rank, world=world)
    told["plain reductions"] = reductions(world, micro_batch=None)
    told["reductions"] = reductions(world, micro_batch=1)
    torch.save(told, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


def of_ranks(world: int) -> list[dict[str, Any]]:
    """What each of `world` processes found; they run once for all tests."""
    told = _outcome(world)
    if isinstance(told, Exception):
        raise told
    return told


@functools.cache
def _outcome(world: int) -> list[dict[str, Any]] | Exception:
    with tempfile.TemporaryDirectory() as folder:
        try:
            spawn(_work, args=(world, folder), nprocs=world)  # type: ignore[no-untyped-call]
        except Exception as error:  # a failure is kept as well: no test starts the ranks again
            return error
        return [torch.load(Path(folder) / f"{rank}.pt") for rank in range(world)]


@functools.cache
def of_one(name: str) -> dict[str, Any]:
    """The same steps on the whole batch, in one piece."""
    if name == "real":
        return two_steps(Step(real_network(), micro_batch=None, block=None))
    return two_steps(small_step(name, micro_batch=None, block=None))
