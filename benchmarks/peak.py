"""Peak memory and time of a step, in a process of its own so that peaks do not mix."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

MIB = 2**20


@dataclass(frozen=True)
class Peak:
    """What a step took.

    Attributes:
        before: MiB in use before the first step.
        peak: MiB in use at most.
        seconds: Of one step.
    """

    before: float
    peak: float
    seconds: float

    @property
    def added(self) -> float:
        """MiB that the steps took beyond what was there."""
        return self.peak - self.before


def default_device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def measure(step: Callable[[], object], *, device: torch.device) -> Peak:
    """Run a step twice, and time the second: the first allocates the gradients."""
    before = _in_use(device)
    step()
    _wait(device)
    start = time.perf_counter()
    step()
    _wait(device)
    return Peak(before, _peak(device), time.perf_counter() - start)


def in_a_process(module: str, *arguments: str) -> Peak:
    """What `python -m MODULE --child ARGUMENTS` prints about itself with `tell`."""
    command = [sys.executable, "-m", module, "--child", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Peak(**json.loads(done.stdout))


def tell(peak: Peak) -> None:
    """Print a measurement for the process that asked for it."""
    print(json.dumps({"before": peak.before, "peak": peak.peak, "seconds": peak.seconds}))  # noqa: T201


def _in_use(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / MIB
    return _peak(device)


def _peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    # KiB, but bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
