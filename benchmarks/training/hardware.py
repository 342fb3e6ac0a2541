"""What a device can do: operations a second, and memory."""

import math
import resource
import sys
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

# Dense bfloat16 with float32 sums, 10¹² operations a second, of the vendor's data sheets; the first
# name that is part of the device's counts.
_PEAK_TFLOPS = (
    ("B200", 2250.0),
    ("GH200", 989.4),
    ("H200 NVL", 835.5),
    ("H200", 989.4),
    ("H100 NVL", 835.5),
    ("H100 PCIe", 756.0),
    ("H100", 989.4),
    ("A100", 312.0),
    ("L40S", 362.0),
    ("L4", 121.0),
    ("RTX 4090", 165.2),
)


@dataclass(frozen=True)
class Peak:
    """The most operations a second of one device.

    Attributes:
        tflops: 10¹² operations a second.
        source: Where the number is from.
    """

    tflops: float
    source: str


def peak_of(device: torch.device, given: float | None) -> Peak:
    """What one device can do at most."""
    if given is not None:
        return Peak(given, "given")
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        for part, tflops in _PEAK_TFLOPS:
            if part in name:
                return Peak(tflops, f"data sheet of {part}, dense bfloat16")
    return Peak(_measured(device), "the best large matrix product in this run")


def device_name(device: torch.device) -> str:
    """What the device is called."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def flops_of_step(network: nn.Module, *, image_size: int) -> float:
    """Operations of one view, forward and backward, without those that caching repeats."""
    views = torch.zeros(2, 3, image_size, image_size)
    with FlopCounterMode(display=False) as counter:
        network(views).sum().backward()
    return float(counter.get_total_flops()) / 2


def reset_peak_memory(device: torch.device) -> None:
    """Let the next peak be of what comes now; a CPU's is of the whole process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_gib(device: torch.device) -> float:
    """The most memory that tensors took on a GPU, or this process on a CPU, GiB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _measured(device: torch.device) -> float:
    """The best of several products, since other work beside it only slows them."""
    on_gpu = device.type == "cuda"
    side = 8192 if on_gpu else 2048
    dtype = torch.bfloat16 if on_gpu else torch.float32
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    repeats = 20 if on_gpu else 1
    best = math.inf
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(repeats):
            torch.mm(one, other)
        synchronize(device)
        best = min(best, time.perf_counter() - start)
    return repeats * 2.0 * float(side) ** 3 / best / 1e12
