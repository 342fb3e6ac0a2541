"""How much the signatures of a word count, by how far apart they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Selectivity:
    """`σ(u) = sign(u) · |u|^α` where u > τ, else 0 (Tolias, Avrithis and Jégou 2013, section 3).

    u is the cosine of two signatures of ±1, from their Hamming distance h of D bits: 1 − 2h/D.

    Attributes:
        alpha: α, above 0.
        threshold: τ, from 0 to below 1, so that equal signatures count 1.
    """

    alpha: float = 3.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.alpha < float("inf"):
            raise ValueError(f"alpha got {self.alpha}; expected a number above 0")
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold got {self.threshold}; expected from 0 to below 1")

    def by_distance(self, dims: int) -> NDArray[np.float64]:
        """σ of every Hamming distance.

        Args:
            dims: Bits D of a signature.

        Returns:
            (D + 1,): of 0, 1, … D differing bits; falls.

        >>> Selectivity(alpha=2, threshold=0.4).by_distance(4).tolist()
        [1.0, 0.25, 0.0, 0.0, 0.0]
        """
        cosine = 1 - 2 * np.arange(dims + 1) / dims
        # Without the ones that do not count first: a negative number has no fractional power.
        return np.where(cosine > self.threshold, np.maximum(cosine, 0) ** self.alpha, 0.0)
