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
from sscd.vectors import Vectors, in_memory


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
    before = in_memory(vectors)
    moved = before - push.weight * push.mean_descriptor(before, training, device=device)
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.where(length > 1e-12, moved / np.maximum(length, 1e-12), before).astype(np.float32)
