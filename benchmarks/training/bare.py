"""The loop to be compared with: torchvision's network, compiled, and nothing around it."""

import contextlib
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.training.hardware import synchronize
from benchmarks.training.options import Options
from benchmarks.training.result import Measured

CLASSES = 1000


def measure_bare(options: Options, device: torch.device, *, compiled: bool) -> Measured:
    """Views a second of a classifier's training loop on resident batches.

    `channels_last`, bfloat16 by autocast on a GPU, fused SGD, cross-entropy: what one would write
    first. Where the network takes micro-batches, a step is one of them.
    """
    from torchvision import models

    count = options.views_a_device
    if options.micro_batch is not None:
        count = min(count, 2 * options.micro_batch)
    torch.manual_seed(0)
    network = getattr(models, options.backbone)(weights=None, num_classes=CLASSES)
    network = network.to(device, memory_format=torch.channels_last)
    on_gpu = device.type == "cuda"
    dtype = torch.bfloat16 if on_gpu else torch.float32
    views = torch.randn(count, 3, options.image_size, options.image_size, device=device)
    views = views.to(dtype=dtype, memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (count,), device=device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, fused=True)
    run: Callable[[Tensor], Tensor] = torch.compile(network) if compiled else network

    def step() -> None:
        cast = torch.autocast("cuda", dtype) if on_gpu else contextlib.nullcontext()
        with cast:
            loss = functional.cross_entropy(run(views), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    began = time.perf_counter()
    for _ in range(options.warm_up):
        step()
    synchronize(device)
    start = time.perf_counter()
    for _ in range(options.steps):
        step()
    synchronize(device)
    taken = time.perf_counter() - start
    return Measured(
        seconds=taken,
        views=options.steps * count * options.devices,
        waited=0.0,
        warm_up_seconds=start - began,
    )
