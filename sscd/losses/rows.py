"""Descriptors with the pictures they show: of a step, and remembered from earlier ones."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """Descriptors and the pictures they show.

    Attributes:
        descriptors: (N, D), unit norm, float32 or wider.
        contents: (N, C) int64 picture numbers, `NO_PICTURE` where a row shows fewer.
    """

    descriptors: Tensor
    contents: Tensor


@dataclass(frozen=True)
class Remembered:
    """Rows of earlier steps, which are negatives only and get no gradient.

    Attributes:
        rows: K descriptors and their contents; C may differ from that of the batch.
        filled: (K,) bool; the other rows count for nothing.
        entropy: Whether the entropy's nearest neighbours are looked for among them too.
    """

    rows: Rows
    filled: Tensor
    entropy: bool = False
