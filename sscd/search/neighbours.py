"""The best references of each query, as a search returns them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Neighbours:
    """The k best references of each of Q queries.

    Attributes:
        scores: (Q, k) float32, falling along a row; for L2 minus the *squared* distance.
        indices: (Q, k) int64, rows of the references.
    """

    scores: NDArray[np.float32]
    indices: NDArray[np.int64]


def merge_neighbours(parts: Sequence[Neighbours], *, k: int) -> Neighbours:
    """Merge what several searches found for the same queries in different references.

    Args:
        parts: At least one, of Q queries each; indices count in the whole of the references.
        k: Neighbours to keep of a query; cut to what there is. Ties go to the lower index.

    Raises:
        ValueError: There is no part, or parts differ in Q.
    """
    if len({len(part.scores) for part in parts}) != 1:
        raise ValueError(f"got parts of {[len(p.scores) for p in parts]} queries; expected one Q")
    scores = np.concatenate([part.scores for part in parts], axis=1)
    indices = np.concatenate([part.indices for part in parts], axis=1)
    order = np.lexsort((indices, -scores), axis=1)[:, :k]
    return Neighbours(
        np.take_along_axis(scores, order, axis=1), np.take_along_axis(indices, order, axis=1)
    )
