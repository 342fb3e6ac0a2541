"""The local descriptors of a picture to its visual words, with one binary signature each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BITS = 64


@dataclass(frozen=True, eq=False)
class PictureWords:
    """What is left of the local descriptors of one picture.

    Attributes:
        words: (m,) int64, rising: the visual words that it has.
        signatures: (m, W) uint64, the signs of each word's residual in its first D bits; the rest
            are 0.
    """

    words: NDArray[np.int64]
    signatures: NDArray[np.uint64]

    def __len__(self) -> int:
        """How many words; also the similarity of the picture to itself, where each counts 1."""
        return len(self.words)


def aggregate(
    descriptors: NDArray[np.float32],
    assigned: NDArray[np.int64],
    centroids: NDArray[np.float32],
) -> PictureWords:
    """Sum the residuals of each word and keep their signs (ASMK, Tolias et al. 2013, section 4).

    Args:
        descriptors: (n, D) of one picture; n may be 0.
        assigned: (n, k), the k different words of each descriptor.
        centroids: (words, D).

    Raises:
        ValueError: Shapes do not match.
    """
    if descriptors.shape[1:] != centroids.shape[1:] or len(assigned) != len(descriptors):
        raise ValueError(
            f"got descriptors {descriptors.shape}, assigned {assigned.shape} and centroids "
            f"{centroids.shape}; expected (n, D), (n, k) and (words, D)"
        )
    flat = assigned.ravel()
    order = np.argsort(flat, kind="stable")
    sorted_words = flat[order]
    first = np.flatnonzero(np.diff(sorted_words, prepend=-1))
    residuals = descriptors[order // max(assigned.shape[1], 1)] - centroids[sorted_words]
    sums = np.add.reduceat(residuals, first, axis=0, dtype=np.float64) if len(first) else residuals
    return PictureWords(sorted_words[first], pack_signs(sums))


def pack_signs(residuals: NDArray[np.floating]) -> NDArray[np.uint64]:
    """One bit a value: 1 where it is above 0.

    Args:
        residuals: (m, D).

    Returns:
        (m, W), W = D / 64 rounded up; the bits past D are 0.
    """
    count, dims = residuals.shape
    bits = np.zeros((count, signature_width(dims) * _BITS), dtype=np.bool_)
    np.greater(residuals, 0, out=bits[:, :dims])
    packed = np.packbits(bits, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def signature_width(dims: int) -> int:
    """How many integers of 64 bits hold so many signs."""
    return -(-dims // _BITS)
