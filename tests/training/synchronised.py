"""A step of two GPUs with synchronised batch norm, and of one GPU with the whole batch."""

import tempfile
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from tests.training.gloo_ranks import PICTURES, Step, real_network, whole_batch

Outcome = tuple[Tensor, list[Tensor], list[Tensor]]  # loss, gradients, running statistics


def _outcome(step: nn.Module, share: slice, device: torch.device) -> Outcome:
    views, contents = whole_batch()
    done = step(views[share].to(device), contents[share].to(device))
    done.loss.backward()
    gradients = [p.grad.cpu() for p in step.parameters() if p.grad is not None]
    buffers = [b.cpu() for name, b in step.named_buffers() if "running" in name]
    return done.total.cpu(), gradients, buffers


def _work(rank: int, folder: str) -> None:
    torch.cuda.set_device(rank)
    device = torch.device("cuda", rank)
    distributed.init_process_group(
        "nccl", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    network = nn.SyncBatchNorm.convert_sync_batchnorm(real_network().train())  # type: ignore[no-untyped-call]
    step = DistributedDataParallel(
        Step(network, micro_batch=None, block=5).to(device), device_ids=[rank]
    )
    half = PICTURES // 2
    told = _outcome(step, slice(rank * half, (rank + 1) * half), device)
    if rank == 0:
        torch.save(told, Path(folder) / "out.pt")
    distributed.destroy_process_group()


def of_two() -> Outcome:
    """Loss, gradients and running statistics of two GPUs."""
    with tempfile.TemporaryDirectory() as folder:
        spawn(_work, args=(folder,), nprocs=2)  # type: ignore[no-untyped-call]
        told: Outcome = torch.load(Path(folder) / "out.pt")
        return told


def of_one() -> Outcome:
    """The same of one GPU with the whole batch."""
    device = torch.device("cuda", 0)
    step = Step(real_network().train(), micro_batch=None, block=None).to(device)
    return _outcome(step, slice(0, PICTURES), device)
