"""PCA whitening of descriptors, learnt on training pictures only.

Jégou and Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA and
whitening" (2012); SSCD publishes its figures whitened to the descriptor's own dimension.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError

Floats = NDArray[np.floating[Any]]

_BLOCK = 65_536


@dataclass(frozen=True)
class Whitening:
    """An affine map to decorrelated coordinates of equal variance, then L2 normalisation.

    Attributes:
        mean: (D,) float32.
        matrix: (D, d) float32, columns by falling variance.
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @classmethod
    def fit(cls, training: Floats, *, dims: int, floor: float = 1e-6) -> "Whitening":
        """Learn the map from training descriptors, in float64.

        Args:
            training: (N, D) descriptors of training pictures.
            dims: Dimensions d to keep, at most D.
            floor: Smallest eigenvalue, relative to the largest: no direction is stretched by more
                than `floor ** -0.5` times the first, so a dead one does not become noise.

        Raises:
            UserError: Fewer training descriptors than `dims`, or `dims` over D.
            ValueError: A value is not finite, all descriptors are equal, or `dims` below 1.
        """
        if training.ndim != 2 or dims < 1:
            raise ValueError(f"got training {training.shape}, dims {dims}; expected (N, D), >= 1")
        count, width = training.shape
        if dims > width:
            raise UserError(f"whitening to {dims} dimensions: descriptors have only {width}")
        if count < dims:
            raise UserError(
                f"whitening to {dims} dimensions needs at least {dims} training pictures, "
                f"got {count}; add pictures or lower the dimension"
            )
        mean: NDArray[np.float64] = np.mean(training, axis=0, dtype=np.float64)
        covariance = np.zeros((width, width))
        for block in _blocks(training):
            centred = block.astype(np.float64) - mean
            covariance += centred.T @ centred / count
        if not np.isfinite(covariance).all() or covariance.trace() <= 0:
            raise ValueError("got descriptors that are equal or not finite; expected a spread")
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = values[::-1][:dims], vectors[:, ::-1][:, :dims]
        vectors = vectors * _signs(vectors)
        matrix = vectors / np.sqrt(np.maximum(values, floor * values[0]))
        return cls(mean.astype(np.float32), matrix.astype(np.float32))

    def apply(self, descriptors: Floats) -> NDArray[np.float32]:
        """Whiten (n, D) descriptors and return (n, d), L2-normalised.

        A descriptor that equals the mean has no direction and stays at zero.

        Raises:
            ValueError: The descriptors are not (n, D).
        """
        if descriptors.ndim != 2 or descriptors.shape[1] != len(self.mean):
            raise ValueError(f"got {descriptors.shape}; expected (n, {len(self.mean)})")
        result = np.empty((len(descriptors), self.matrix.shape[1]), np.float32)
        for start, block in zip(
            range(0, len(descriptors), _BLOCK), _blocks(descriptors), strict=True
        ):
            white = (block.astype(np.float32) - self.mean) @ self.matrix
            length = np.linalg.norm(white, axis=1, keepdims=True)
            result[start : start + _BLOCK] = white / np.where(length > 0, length, 1)
        return result


def _blocks(vectors: Floats) -> Iterator[Floats]:
    for start in range(0, len(vectors), _BLOCK):
        yield vectors[start : start + _BLOCK]


def _signs(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ±1 a column so that its largest entry is positive: the same map on every machine."""
    largest = np.abs(vectors).argmax(axis=0)
    return np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
