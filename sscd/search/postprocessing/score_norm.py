"""Score normalisation by the nearest training descriptors, in two steps or inside plain L2.

`ŝ(q, r) = s(q, r) − β·n(q)`, with n(q) the similarity of the query's n-th nearest training
descriptor (DISC21 paper, equation 2) or the mean over a range of
ranks (SSCD: β = 1, ranks 0 to 2). It never looks at other queries or references.
"""

import numpy as np
from numpy.typing import NDArray

from sscd.search.knn import Device
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.vectors import Vectors, blocks

_LOWEST = -1.0  # m: no query of unit norm is less similar to anything
_NORM_TOLERANCE = 1e-3


def query_biases(
    queries: Vectors, training: Vectors, norm: Neighbourhood, *, device: Device = "auto"
) -> NDArray[np.float64]:
    """Return β·n(q) (Q,) in float64: what is to be subtracted from the similarities of a query.

    Args:
        queries: (Q, D).
        training: (T, D) descriptors of training pictures.
        norm: β and the ranks.
        device: Where the search runs.

    Raises:
        UserError: There are too few training descriptors.
    """
    return norm.weight * norm.mean_similarity(queries, training, device=device)


def embed_queries(
    queries: Vectors, training: Vectors, norm: Neighbourhood, *, device: Device = "auto"
) -> NDArray[np.float32]:
    """Append the coordinate by which plain L2 search ranks by the normalised score.

    With `r' = (r, 0)` and `q' = (q, √(2β(n(q) − m)))`, m = −1, for unit-norm descriptors:
    `−‖q' − r'‖² = 2(s − β·n(q)) − 2 − 2β`. No similarity is below m, so the root is real, and m
    does not depend on other queries (DISC21 paper, section 6.5). In float32 scores agree with the
    formula to 2e-6 up to β = 4; beyond, the error grows by about 4e-7 · β.

    Args:
        queries: (Q, D) of unit norm, which is made exact: they may be off by 1e-3.
        training: (T, D) descriptors of training pictures.
        norm: β and the ranks.
        device: Where the search runs.

    Returns:
        (Q, D + 1) float32.

    Raises:
        UserError: There are too few training descriptors.
        ValueError: A query is not of unit norm.
    """
    embedded = _unit(queries, "query")
    unit = embedded[:, :-1]
    biases = query_biases(unit, training, norm, device=device)
    # What rounding left of |q|² − 1 would move all scores of a query; the coordinate takes it up.
    excess = np.einsum("nd,nd->n", unit, unit, dtype=np.float64) - 1
    embedded[:, -1] = np.sqrt(np.maximum(2 * (biases - norm.weight * _LOWEST) - excess, 0))
    return embedded


def embed_references(references: Vectors) -> NDArray[np.float32]:
    """Append a coordinate 0 to (R, D) references of unit norm; returns (R, D + 1) float32.

    Raises:
        ValueError: A reference is not of unit norm.
    """
    return _unit(references, "reference")


def normalised_scores(l2_scores: NDArray[np.floating], norm: Neighbourhood) -> NDArray[np.float64]:
    """Return `s − β·n(q)` out of what L2 search of embedded descriptors says, −‖q' − r'‖²."""
    return (np.asarray(l2_scores, np.float64) + 2 - 2 * norm.weight * _LOWEST) / 2


def _unit(vectors: Vectors, name: str) -> NDArray[np.float32]:
    """The rows, normalised once more in float64 so that float32 is all that is lost, and a 0."""
    result = np.zeros((len(vectors), vectors.shape[1] + 1), np.float32)
    for start, block in blocks(vectors):
        length = np.linalg.norm(block.astype(np.float64), axis=1, keepdims=True)
        wrong = np.flatnonzero(~(np.abs(length[:, 0] - 1) <= _NORM_TOLERANCE))
        if wrong.size:
            row = int(wrong[0])
            raise ValueError(
                f"{name} row {start + row} has length {length[row, 0]:.6g}; score normalisation "
                "inside L2 needs unit-norm descriptors"
            )
        result[start : start + len(block), :-1] = block / length
    return result
