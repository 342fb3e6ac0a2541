"""Weights in half the bytes: which of them may be float16, and a network rounded to what they hold.

Kernels and matrices are nearly all of a network, and lose nothing that a descriptor shows. Vectors
(biases, statistics of batch normalisation) and the projection, which stretches small differences,
stay float32.
"""

import copy
from typing import Literal

import torch
from torch import Tensor

from sscd.errors import UserError
from sscd.models.descriptor import DescriptorNet

WeightType = Literal["float32", "float16"]


def is_halved(name: str, value: Tensor) -> bool:
    """Whether a tensor of a network is float16 in a file of such weights.

    Args:
        name: As in its `state_dict`.
        value: The tensor.
    """
    return value.is_floating_point() and value.ndim >= 2 and not name.startswith("projection.")


def rounded_to_half(network: DescriptorNet) -> DescriptorNet:
    """A copy whose kernels and matrices are float32 numbers that float16 holds exactly.

    It describes as the file of float16 weights does, to the bit; rounding it again changes nothing.

    Raises:
        UserError: A weight is beyond the range of float16.
    """
    rounded = copy.deepcopy(network)
    state = rounded.state_dict()
    for name, value in state.items():
        if is_halved(name, value):
            half = value.half()
            if not torch.isfinite(half).all():
                raise UserError(
                    f"--weights float16: '{name}' has weights beyond 65504; leave them float32"
                )
            state[name] = half.float()
    rounded.load_state_dict(state)
    return rounded
