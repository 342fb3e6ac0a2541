"""What is done to descriptors after the network: projection, stretching, score normalisation."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search.knn import Device
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import Projection
from sscd.search.postprocessing.score_norm import embed_queries, embed_references
from sscd.search.postprocessing.stretching import stretch
from sscd.vectors import Vectors, in_memory

Side = Literal["query", "reference"]
_SETTINGS = ("projection", "stretching", "score_norm", "training", "model", "preprocessing")


@dataclass(frozen=True)
class TrainingSet:
    """Training descriptors that new descriptors are compared with.

    Attributes:
        vectors: (T, d), after the projection.
        fingerprint: Says which pictures they are of, and which model described them. It is not of
            their bytes, which differ in the last bit from machine to machine.
    """

    vectors: NDArray[np.float32]
    fingerprint: str


@dataclass(frozen=True)
class PostProcessing:
    """What was learnt on training descriptors, and how descriptors go through it.

    First the projection, then stretching, then score normalisation inside L2, which lengthens the
    descriptor by one coordinate. Each step may be missing.

    Attributes:
        projection: Learnt by `Projection.fit` on training descriptors.
        stretching: Pushes queries and references from their nearest training descriptors.
        score_norm: Subtracts a query's similarity to its nearest training descriptors.
        training: Fingerprint of the training set, which stretching and score normalisation need
            again for every new picture; empty where neither is there.
        model: Fingerprint of the network whose descriptors it was fitted on; empty where unknown.
        preprocessing: How their pictures were resized; empty where unknown.
    """

    projection: Projection | None = None
    stretching: Neighbourhood | None = None
    score_norm: Neighbourhood | None = None
    training: str = ""
    model: str = ""
    preprocessing: str = ""

    @property
    def needs_training(self) -> bool:
        """Whether descriptors are compared with training descriptors each time."""
        return self.stretching is not None or self.score_norm is not None

    def dims(self, own: int) -> int:
        """Dimensions of what it makes out of descriptors of `own` dimensions."""
        projected = self.projection.dims if self.projection else own
        return projected + (self.score_norm is not None)

    def project(self, vectors: Vectors) -> NDArray[np.float32]:
        """The (n, D) descriptors after the projection alone."""
        return self.projection.apply(vectors) if self.projection else in_memory(vectors)

    def apply(
        self, vectors: Vectors, side: Side, *, training: TrainingSet | None, device: Device = "auto"
    ) -> NDArray[np.float32]:
        """Take descriptors of the network through the chain.

        Args:
            vectors: (n, D) as the network made them.
            side: Whether they are queries or references.
            training: Where `needs_training`.
            device: Where the search runs.

        Returns:
            (n, `dims(D)`) float32.

        Raises:
            UserError: The training descriptors are missing, too few, or not those of the fit.
        """
        result = self.project(vectors)
        if not self.needs_training:
            return result
        if training is None or training.fingerprint != self.training:
            raise UserError(
                "these descriptors need the training pictures that the post-processing was fitted "
                f"on (fingerprint {self.training}); give the same --training"
            )
        if self.stretching:
            result = stretch(result, training.vectors, self.stretching, device=device)
        if self.score_norm is None:
            return result
        if side == "reference":
            return embed_references(result)
        return embed_queries(result, training.vectors, self.score_norm, device=device)

    @property
    def steps(self) -> list[str]:
        """One line a step, for people."""
        lines = []
        if self.projection:
            lines.append(f"{self.projection.kind} to {self.projection.dims} dimensions")
        if self.stretching:
            lines.append(f"negative embedding subtraction {self.stretching}")
        if self.score_norm:
            lines.append(f"score normalisation {self.score_norm} inside L2")
        return lines

    @property
    def fingerprint(self) -> str:
        """16 hex digits of all that was learnt and set; empty where there is no step."""
        if not self.steps:
            return ""
        digest = hashlib.blake2b(json.dumps(self.settings()).encode(), digest_size=8)
        for array in self.arrays().values():
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def settings(self) -> dict[str, str]:
        """All but the arrays, to be saved; `from_saved` takes it back."""
        return {
            "projection": self.projection.kind if self.projection else "",
            "stretching": str(self.stretching or ""),
            "score_norm": str(self.score_norm or ""),
            "training": self.training,
            "model": self.model,
            "preprocessing": self.preprocessing,
        }

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays, to be saved."""
        if self.projection is None:
            return {}
        return {"mean": self.projection.mean, "matrix": self.projection.matrix}

    @classmethod
    def from_saved(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, source: str
    ) -> Self:
        """Rebuild the chain from what was saved.

        Args:
            settings: Of `settings`.
            arrays: Of `arrays`.
            source: Named in errors.

        Raises:
            UserError: Something is missing or of another form.
        """
        if missing := [key for key in _SETTINGS if not isinstance(settings.get(key), str)]:
            raise UserError(f"{source}: the post-processing lacks '{missing[0]}'; export it again")
        kind, projection = settings["projection"], None
        if kind:
            mean, matrix = (np.asarray(arrays.get(key, ())) for key in ("mean", "matrix"))
            if kind not in ("center", "pca", "whiten") or not _fits(mean, matrix):
                raise UserError(f"{source}: its projection '{kind}' is damaged; export it again")
            projection = Projection(kind, mean.astype(np.float32), matrix.astype(np.float32))
        parsed = [
            Neighbourhood.parse(settings[key], option=f"{source}: {key}") if settings[key] else None
            for key in ("stretching", "score_norm")
        ]
        known = {key: settings[key] for key in ("training", "model", "preprocessing")}
        return cls(projection, parsed[0], parsed[1], **known)


def _fits(mean: NDArray[Any], matrix: NDArray[Any]) -> bool:
    return (
        mean.ndim == 1
        and matrix.ndim == 2
        and len(mean) == len(matrix) > 0
        and bool(np.isfinite(mean).all() and np.isfinite(matrix).all())
    )
