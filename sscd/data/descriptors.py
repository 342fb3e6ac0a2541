"""Descriptors with the ids of their pictures: what models make and search and evaluation take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Descriptors:
    """Descriptors of n pictures.

    Attributes:
        ids: n ids, no two alike.
        vectors: (n, D) float32.
    """

    ids: Sequence[str]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.ids):
            raise ValueError(f"got {len(self.ids)} ids, vectors {self.vectors.shape}; expected n")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"got {len(self.ids) - len(set(self.ids))} repeated ids; expected 0")
