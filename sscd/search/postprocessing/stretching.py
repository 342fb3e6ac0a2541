"""Negative embedding subtraction: descriptors are pushed from the training descriptors near them.

`x' = normalise(x − w · mean of its nearest training descriptors)` (Yokoo, "Contrastive learning
with large memory bank and negative embedding subtraction for accurate copy detection", 2021).
Training pictures are copies of nothing, so what a descriptor shares with them says
nothing of copies. Queries and references are treated alike, each on its own, and stay of unit norm.
"""

import numpy as np
from numpy.typing import NDArray

from sscd.search.knn import Device
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.vectors import Vectors, blocks

_ROWS = 16_384  # of which several copies in float64 are held


def stretch(
    vectors: Vectors, training: Vectors, push: Neighbourhood, *, device: Device = "auto"
) -> NDArray[np.float32]:
    """Push descriptors away from their nearest training descriptors.

    Args:
        vectors: (n, D) of unit norm.
        training: (T, D) descriptors of training pictures.
        push: w and the ranks.
        device: Where the search runs.

    Returns:
        (n, D) float32 of unit norm. A descriptor that equals w times the mean of its neighbours
        has no direction and stays as it was.

    Raises:
        UserError: There are too few training descriptors.
    """
    result = np.empty(tuple(vectors.shape), np.float32)
    for start, before in blocks(vectors, size=_ROWS):
        moved = before - push.weight * push.mean_descriptor(before, training, device=device)
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        pushed = np.where(length > 1e-12, moved / np.maximum(length, 1e-12), before)
        result[start : start + len(before)] = pushed
    return result
