"""Centring, PCA and PCA whitening of descriptors, learnt on training pictures only.

Jégou and Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA and
whitening" (2012); SSCD publishes its figures whitened to the descriptor's own dimension, GIST's
256-d row of DISC21 (section 5.1) uses PCA without whitening.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.vectors import Vectors, blocks

ProjectionKind = Literal["center", "pca", "whiten"]


@dataclass(frozen=True)
class Projection:
    """An affine map `(x − mean) · matrix`, then L2 normalisation.

    Attributes:
        kind: `center` subtracts the mean, `pca` also rotates to the directions of largest variance
            and drops the others, `whiten` also gives all of them the same variance.
        mean: (D,) float32.
        matrix: (D, d) float32, columns by falling variance.
    """

    kind: ProjectionKind
    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @classmethod
    def fit(
        cls, training: Vectors, *, kind: ProjectionKind, dims: int, floor: float = 1e-6
    ) -> Self:
        """Learn the map from training descriptors, in float64.

        Args:
            training: (N, D) descriptors of training pictures.
            kind: What to learn.
            dims: Dimensions d to keep, at most D; D itself for `center`.
            floor: For `whiten`, the smallest eigenvalue relative to the largest: no direction is
                stretched by more than `floor ** -0.5` times the first, so a dead one does not
                become noise.

        Raises:
            UserError: Fewer training descriptors than `dims`, or `dims` that D does not allow.
            ValueError: A value is not finite, all descriptors are equal, or `dims` below 1.
        """
        if len(training.shape) != 2 or dims < 1:
            raise ValueError(f"got training {training.shape}, dims {dims}; expected (N, D), >= 1")
        _check_dims(training, kind, dims)
        mean, covariance = _moments(training)
        if not np.isfinite(covariance).all() or covariance.trace() <= 0:
            raise ValueError("got descriptors that are equal or not finite; expected a spread")
        if kind == "center":
            return cls(kind, mean.astype(np.float32), np.eye(len(mean), dtype=np.float32))
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = values[::-1][:dims], vectors[:, ::-1][:, :dims]
        matrix = vectors * _signs(vectors)
        if kind == "whiten":
            matrix = matrix / np.sqrt(np.maximum(values, floor * values[0]))
        return cls(kind, mean.astype(np.float32), matrix.astype(np.float32))

    @property
    def dims(self) -> int:
        """Dimensions d of what it makes."""
        return int(self.matrix.shape[1])

    def apply(self, descriptors: Vectors) -> NDArray[np.float32]:
        """Project (n, D) descriptors and return (n, d), L2-normalised.

        A descriptor that equals the mean has no direction and stays at zero.

        Raises:
            ValueError: The descriptors are not (n, D).
        """
        if len(descriptors.shape) != 2 or descriptors.shape[1] != len(self.mean):
            raise ValueError(f"got {descriptors.shape}; expected (n, {len(self.mean)})")
        result = np.empty((len(descriptors), self.dims), np.float32)
        for start, block in blocks(descriptors):
            centred = block - self.mean
            projected = centred if self.kind == "center" else centred @ self.matrix
            length = np.linalg.norm(projected, axis=1, keepdims=True)
            result[start : start + len(block)] = projected / np.where(length > 0, length, 1)
        return result


def _check_dims(training: Vectors, kind: ProjectionKind, dims: int) -> None:
    count, width = training.shape
    name = {"center": "centring", "pca": "PCA", "whiten": "whitening"}[kind]
    if kind == "center" and dims != width:
        raise UserError(f"centring keeps all {width} dimensions, not {dims}; project by PCA")
    if dims > width:
        raise UserError(f"{name} to {dims} dimensions: descriptors have only {width}")
    # Centred, N pictures span N − 1 dimensions; whitening would stretch one more without end.
    least = {"center": 0, "pca": dims, "whiten": dims + 1}[kind]
    if count < least:
        raise UserError(
            f"{name} to {dims} dimensions needs at least {least} training pictures, "
            f"got {count}; add pictures or lower the dimension"
        )


def _moments(training: Vectors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean (D,) and the covariance (D, D)."""
    count, width = training.shape
    mean = np.zeros(width)
    for _, block in blocks(training):
        mean += block.sum(axis=0, dtype=np.float64) / count
    covariance = np.zeros((width, width))
    for _, block in blocks(training):
        centred = block.astype(np.float64) - mean
        covariance += centred.T @ centred / count
    return mean, covariance


def _signs(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ±1 a column so that its largest entry is positive: the same map on every machine."""
    largest = np.abs(vectors).argmax(axis=0)
    return np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
