"""The precision of losses."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """`x` in float32, or as it is where it is wider: half precision loses small differences."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


@contextlib.contextmanager
def full_float32(device_type: str) -> Iterator[None]:
    """Multiply float32 matrices in float32 inside, whatever autocast and the settings say.

    `torch.set_float32_matmul_precision("high")` multiplies in TensorFloat-32, whose error of 1e-3
    in a cosine is 0.02 in a logit at τ = 0.05, and as much as the distance of near neighbours.

    Args:
        device_type: Of the tensors, as `Tensor.device.type` has it.
    """
    settings = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [setting.fp32_precision for setting in settings]
    for setting in settings:
        setting.fp32_precision = "ieee"
    try:
        # Autocast would undo a mere cast of a product's inputs.
        with torch.autocast(device_type=device_type, enabled=False):
            yield
    finally:
        for setting, value in zip(settings, before, strict=True):
            setting.fp32_precision = value
