"""A system with one vector a picture, compared by L2: learnt projection, search, normalisation."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sscd.baselines.system import Found
from sscd.data.descriptors import Descriptors
from sscd.data.records import Pictures
from sscd.data.stopwatch import Stopwatch
from sscd.errors import UserError
from sscd.search.knn import Device, nearest
from sscd.search.pairs import Pairs, best_pairs
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import Projection, ProjectionKind
from sscd.vectors import Vectors, in_memory

Describe: TypeAlias = Callable[[Pictures], Descriptors]
"""Descriptors of the pictures of a set that can be read, in the set's order."""


class VectorSystem:
    """Global descriptors, scored by minus the squared L2 distance.

    That orders unit-norm descriptors as their cosine does, and normalised scores as the normalised
    cosine: both are the same but for a factor and a constant.

    Args:
        name: What it is called in tables.
        describe: What makes its descriptors.
        dims: Their length in the end.
        norm: Of its score normalisation.
        hardware: What `describe` runs on.
        projection: What is learnt on training descriptors; None compares descriptors as they are.
        fewer: Whether `dims` gives way where not enough training pictures can be read; otherwise
            that is an error.
        device: Where the search runs.
        watch: What `describe` times itself by, where it may find descriptors that were made before;
            None times every call.
    """

    def __init__(
        self,
        name: str,
        describe: Describe,
        *,
        dims: int,
        norm: Neighbourhood,
        hardware: str,
        projection: ProjectionKind | None = None,
        fewer: bool = False,
        device: Device = "auto",
        watch: Stopwatch | None = None,
    ) -> None:
        self.name = name
        self.dims: int | None = dims
        self.norm = norm
        self.hardware = hardware
        self.watch = Stopwatch() if watch is None else watch
        self._times_itself = watch is not None
        self.reference_ids: Sequence[str] = ()
        self._describe = describe
        self._dims, self._fewer = dims, fewer
        self._kind = projection
        self._device: Device = device
        self._projection: Projection | None = None
        self._training: Vectors | None = None
        self._references: Vectors | None = None

    def learn(self, training: Pictures) -> None:
        """Learn the projection, and keep the training descriptors; see `System`."""
        own = self._timed(training).vectors
        if self._kind is not None:
            if self._fewer:
                self.dims = self._dims = min(self._dims, max(len(own) - 1, 1))
            self._projection = Projection.fit(own, kind=self._kind, dims=self._dims)
        self._training = self._projected(own)

    def index(self, references: Pictures) -> None:
        """Describe the references; see `System`."""
        described = self._timed(references)
        self.reference_ids = described.ids
        self._references = self._projected(described.vectors)

    def describe(self, pictures: Pictures) -> Descriptors:
        """The descriptors as they are compared, after the projection."""
        described = self._timed(pictures)
        return Descriptors(described.ids, self._projected(described.vectors), described.origin)

    def search(self, queries: Pictures, *, limit: int) -> Found:
        """Find the best pairs without and with normalisation; see `System`."""
        if self._training is None or self._references is None:
            raise ValueError("a search comes after learn() and index()")
        described = self.describe(queries)
        vectors = in_memory(described.vectors)
        return Found(
            query_ids=described.ids,
            plain=best_pairs(vectors, self._references, limit=limit, device=self._device),
            normalised=normalised_pairs(
                vectors,
                self._references,
                self._training,
                norm=self.norm,
                limit=limit,
                device=self._device,
            ),
        )

    def _timed(self, pictures: Pictures) -> Descriptors:
        if self._times_itself:
            return self._describe(pictures)
        with self.watch.over(len(pictures)):
            return self._describe(pictures)

    def _projected(self, vectors: Vectors) -> Vectors:
        return self._projection.apply(vectors) if self._projection else vectors


def normalised_pairs(
    queries: NDArray[np.float32],
    references: Vectors,
    training: Vectors,
    *,
    norm: Neighbourhood,
    limit: int,
    device: Device = "auto",
) -> Pairs:
    """The best pairs by `−‖q − r‖² − β · (−‖q − tₙ‖²)` (DISC21 paper, equation 2), exactly.

    A coordinate more carries the second term through the search, as score normalisation inside L2
    does; here it may depend on all queries, which shifts every score alike.

    Args:
        queries: (Q, D).
        references: (R, D).
        training: (T, D).
        norm: β and the rank.
        limit: Pairs wanted.
        device: Where the search runs.

    Raises:
        UserError: There are too few training descriptors.
    """
    if len(training) <= norm.last:
        raise UserError(
            f"score normalisation {norm} needs {norm.last + 1} training pictures, got "
            f"{len(training)}; add some"
        )
    scores = nearest(queries, training, k=norm.last + 1, device=device).scores
    bias = norm.weight * scores[:, norm.first :].astype(np.float64).mean(axis=1)  # at most 0
    shift = -bias.min(initial=0.0)
    added = np.sqrt(np.maximum(bias + shift, 0))[:, None]
    found = best_pairs(
        np.hstack([queries, added.astype(np.float32)]),
        _WithZero(references),
        limit=limit,
        device=device,
    )
    return Pairs(found.query, found.reference, found.scores + np.float32(shift))


class _WithZero:
    """Vectors with a coordinate 0 after their own; no second copy of them lies in memory."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self._vectors), self._vectors.shape[1] + 1

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        return np.pad(np.asarray(self._vectors[rows], np.float32), ((0, 0), (0, 1)))
