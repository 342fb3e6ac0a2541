"""Memory and time of a training step by gradient caching, beside the step that keeps every graph.

`python -m benchmarks.micro_batch` takes minutes on a CPU. Other sizes:
`python -m benchmarks.micro_batch BACKBONE SIZE PICTURES MICRO_BATCH`, e.g. `resnet50 224 1024 32`.
"""

import contextlib
import sys

import torch

from benchmarks.peak import Peak, default_device, in_a_process, measure, tell
from sscd.losses.instance import InfoNCE
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.steps.micro_batches import describe_in_micro_batches
from sscd.training.steps.objective import compute_objective

BACKBONE, SIZE, PICTURES, MICRO_BATCH = "resnet18", 48, 1024, 32
VIEWS = 2
WHOLE = 0  # a micro-batch of all pictures


def run(
    backbone: str = BACKBONE,
    size: int = SIZE,
    pictures: int = PICTURES,
    micro_batch: int = MICRO_BATCH,
) -> str:
    """One line each for the plain step and the cached one."""

    def of(micro: int) -> Peak:
        arguments = (backbone, str(size), str(pictures), str(micro))
        return in_a_process("benchmarks.micro_batch", *arguments)

    plain, cached = of(WHOLE), of(micro_batch)
    device = default_device()
    lines = [
        f"step of {pictures} pictures x {VIEWS} views, {backbone} at {size} px, {device.type}, "
        f"{torch.get_num_threads()} threads",
        *(
            f"  {name:<16} {p.added:7.0f} MiB beyond {p.before:.0f} MiB, {p.seconds:6.1f} s"
            for name, p in (("plain", plain), (f"micro-batch {micro_batch}", cached))
        ),
        f"  {plain.added / cached.added:.1f}x less memory, "
        f"{cached.seconds / plain.seconds:.2f}x the time",
    ]
    return "\n".join(lines)


def _step(backbone: str, size: int, pictures: int, micro_batch: int) -> Peak:
    device = default_device()
    config = NetworkConfig(backbone=backbone)
    network = DescriptorNet(config).to(device).to(memory_format=torch.channels_last)
    shape = (pictures, VIEWS, 3, size, size)
    views = torch.randint(0, 256, shape, dtype=torch.uint8, device=device)
    contents = torch.arange(pictures, device=device).repeat_interleave(VIEWS).unsqueeze(1)
    half = torch.autocast(device.type, dtype=torch.bfloat16)

    def step() -> None:
        with half if device.type == "cuda" else contextlib.nullcontext():
            described = describe_in_micro_batches(network, views, micro_batch=micro_batch or None)
            objective = compute_objective(
                described, contents, loss=InfoNCE(0.05), entropy_weight=10.0
            )
        objective.loss.backward()  # type: ignore[no-untyped-call]

    return measure(step, device=device)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--child", name, *numbers]:
            tell(_step(name, *map(int, numbers)))
        case [name, *numbers]:
            print(run(name, *map(int, numbers)))  # noqa: T201
        case _:
            print(run())  # noqa: T201
