"""Visual words: learnt by k-means, and those nearest to local descriptors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.baselines.how.aggregation import PictureWords, aggregate
from sscd.errors import NotEnoughError
from sscd.extras import require
from sscd.search.knn import Device, nearest
from sscd.terminal import tracked

WORDS = 65_536
"""Of the published system (Tolias, Jenicek and Chum 2020, section 5)."""
POINTS_A_WORD = 256
"""Local descriptors that are learnt from, for each word; FAISS's default, and so what HOW has."""
_POINTS_AT_LEAST = 39  # below it FAISS warns
_ITERATIONS = 10  # as published with HOW


@dataclass(frozen=True, eq=False)
class Codebook:
    """The centroids of visual words.

    Attributes:
        centroids: (words, D) float32.
    """

    centroids: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.centroids.ndim != 2 or 0 in self.centroids.shape:
            raise ValueError(f"centroids got shape {self.centroids.shape}; expected (words, D)")
        if not np.isfinite(self.centroids).all():
            raise ValueError("centroids hold a value that is not finite")

    @property
    def words(self) -> int:
        """How many words there are."""
        return len(self.centroids)

    @property
    def dims(self) -> int:
        """Length D of a local descriptor."""
        return int(self.centroids.shape[1])

    def words_of(
        self, pictures: Sequence[NDArray[np.float32]], *, assignments: int, device: Device = "auto"
    ) -> list[PictureWords]:
        """The visual words of pictures, each with its signature.

        Args:
            pictures: For each picture its local descriptors (n, D); n may be 0.
            assignments: Words that a descriptor counts for: the nearest ones by L2.
            device: Where they are looked for.
        """
        if not pictures:
            return []
        every = np.concatenate(pictures)
        assigned = nearest(every, self.centroids, k=assignments, device=device).indices
        ends = np.cumsum([len(picture) for picture in pictures])[:-1]
        return [
            aggregate(own, words, self.centroids)
            for own, words in zip(pictures, np.split(assigned, ends), strict=True)
        ]


def learn_codebook(
    descriptors: NDArray[np.float32],
    words: int,
    *,
    seed: int = 0,
    iterations: int = _ITERATIONS,
    device: Device = "auto",
) -> Codebook:
    """Learn visual words by FAISS's k-means, with a progress bar.

    Args:
        descriptors: (n, D) local descriptors; all are used.
        words: How many to learn.
        seed: Of the descriptors that it starts from.
        iterations: Of k-means.
        device: "auto" takes the GPUs that FAISS sees.

    Raises:
        UserError: There are fewer descriptors than words, or FAISS is missing.
        ValueError: `words` or `iterations` is not positive.
    """
    if words < 1 or iterations < 1:
        raise ValueError(f"got words={words}, iterations={iterations}; expected at least 1")
    if len(descriptors) < words:
        fewer = max(len(descriptors) // _POINTS_AT_LEAST, 1)
        raise NotEnoughError(
            f"{len(descriptors):,} local descriptors of the training pictures are too few for "
            f"{words:,} visual words; give --words {fewer}, or add training pictures"
        )
    require("faiss")
    import faiss

    from sscd.search.engines.faiss_knn import faiss_gpus

    points = np.ascontiguousarray(descriptors, dtype=np.float32)
    centroids = None
    for _ in tracked(range(iterations), f"learning {words:,} visual words", unit="iterations"):
        # One iteration at a time, each from the last one's centroids, for FAISS tells no progress.
        step = faiss.Kmeans(
            points.shape[1],
            words,
            niter=1,
            seed=seed,
            gpu=device != "cpu" and faiss_gpus() > 0,
            min_points_per_centroid=1,
            max_points_per_centroid=-(-len(points) // words),
        )
        step.train(points, init_centroids=centroids)
        centroids = step.centroids
    return Codebook(np.ascontiguousarray(centroids, dtype=np.float32))
