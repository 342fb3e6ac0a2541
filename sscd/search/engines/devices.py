"""Where a search runs, and in which precision."""

import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch

from sscd.errors import UserError
from sscd.search.options import Device

_MOST_JOBS = 16  # more would wait for Python's lock


def devices_of(device: Device) -> list[torch.device]:
    """The GPUs of this machine, or the CPU.

    Raises:
        UserError: `device` is "cuda" and PyTorch sees no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device cuda: PyTorch sees no GPU; use device auto")
    if device == "cpu" or not torch.cuda.is_available():
        return [torch.device("cpu")]
    return [torch.device("cuda", number) for number in gpu_numbers(torch.cuda.device_count())]


def gpu_numbers(count: int) -> list[int]:
    """Which of so many GPUs to search on: all; in a distributed training the process's own."""
    if count and torch.distributed.is_available() and torch.distributed.is_initialized():
        return [torch.cuda.current_device()]
    return list(range(count))


def precisions(device: torch.device) -> tuple[torch.dtype, ...]:
    """The precisions a screen uses there: bfloat16 where it is faster, then float32."""
    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        fast = _cpu_has_fast_bfloat16()
    return (torch.bfloat16, torch.float32) if fast else (torch.float32,)


@functools.cache
def _cpu_has_fast_bfloat16() -> bool:
    # Measured, since no flag tells it of every kind of CPU; the result of a search is the same.
    return _product_seconds(torch.bfloat16) < _product_seconds(torch.float32)


def _product_seconds(dtype: torch.dtype) -> float:
    left, right = torch.ones(256, 256, dtype=dtype), torch.ones(256, 2048, dtype=dtype)
    taken = []
    for _ in range(5):
        start = time.thread_time()  # steady on a busy machine
        torch.mm(left, right)
        taken.append(time.thread_time() - start)
    return min(taken)


@contextmanager
def search_settings(kind: str) -> Iterator[int]:
    """Set PyTorch up for a search on a kind of device, and yield how many jobs may run on a CPU.

    Autocast, TF32 and short sums are off, whatever training chose. Threads run jobs of their own
    on one core each: inside a product they would meet at barriers, and spin there while the
    machine is busy.
    """
    sums = torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction
    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    jobs = min(threads, _MOST_JOBS)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    torch.set_num_threads(threads // jobs)  # of this thread, and of those that it starts
    try:
        with torch.autocast(kind, enabled=False):
            yield jobs
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = sums
        torch.set_num_threads(threads)


@contextmanager
def workers(device: torch.device, jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Yield a `map` that runs so many jobs at once on a CPU, and one after the other on a GPU."""
    if device.type != "cpu" or jobs == 1:
        yield map
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield pool.map
