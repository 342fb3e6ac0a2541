"""Steps of a network through `torch.compile`, and as it is, by turns.

`python -m benchmarks.compiling BACKBONE IMAGE_SIZE VIEWS`, by default ResNet50 at 96 px, 32 views.
"""

import copy
import sys
import time

import torch
from torch import nn

from benchmarks.timing import by_turns
from sscd.models.descriptor import DescriptorNet, NetworkConfig
from sscd.training.steps.compiling import compile_in_place

ROUNDS = 9


def run(backbone: str = "resnet50", image_size: int = 96, views: int = 32) -> str:
    """One line: forward and backward of both, and what the compilation took."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    plain = DescriptorNet(NetworkConfig(backbone=backbone)).to(memory_format=torch.channels_last)
    plain = plain.to(device)
    compiled = copy.deepcopy(plain)
    if not compile_in_place(compiled, device):
        return "torch.compile does not work here"
    batch = torch.randint(0, 256, (views, 3, image_size, image_size), dtype=torch.uint8)
    batch = batch.to(device)

    def step(network: nn.Module) -> None:
        enabled = device.type == "cuda"
        with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
            described = network(batch)
        described[:, 0].sum().backward()
        network.zero_grad(set_to_none=True)
        if enabled:
            torch.cuda.synchronize()

    start = time.perf_counter()
    step(compiled)
    first = time.perf_counter() - start
    usual, fast = by_turns([lambda: step(plain), lambda: step(compiled)], rounds=ROUNDS)
    return (
        f"{backbone} at {image_size} px, {views} views, {device.type}: "
        f"compiled {fast * 1e3:.0f} ms, as it is {usual * 1e3:.0f} ms, {usual / fast:.2f}x; "
        f"the first step took {first:.0f} s "
        f"(medians of {ROUNDS} steps by turns)"
    )


if __name__ == "__main__":
    backbone, *sizes = sys.argv[1:] or ["resnet50"]
    print(run(backbone, *map(int, sizes)))  # noqa: T201
