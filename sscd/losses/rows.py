"""Descriptors with the pictures they show: of a step, and remembered from earlier ones."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """Descriptors and the pictures they show.

    Attributes:
        descriptors: (N, D), unit norm, float32 or wider.
        contents: (N, C) int64 picture numbers, `NO_PICTURE` where a row shows fewer.
        negative_only: (N,) bool, rows that are negatives of other pictures' rows and nothing else;
            None for none.
    """

    descriptors: Tensor
    contents: Tensor
    negative_only: Tensor | None = None


@dataclass(frozen=True)
class Remembered:
    """Rows of earlier steps, which are negatives only and get no gradient.

    Attributes:
        rows: K descriptors and their contents; C may differ from that of the batch.
        filled: (K,) bool; the other rows count for nothing.
        entropy: Whether the entropy is of them too.
    """

    rows: Rows
    filled: Tensor
    entropy: bool = False
