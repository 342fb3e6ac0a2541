"""Descriptors with the ids of their pictures: what models make and search and evaluation take."""

from collections.abc import Sequence
from dataclasses import dataclass

from sscd.vectors import Vectors


@dataclass(frozen=True)
class Origin:
    """What made descriptors; distances between descriptors of different origins mean nothing.

    Attributes:
        model: Fingerprint of the network's architecture and weights; empty where unknown.
        preprocessing: How pictures were resized, as in `288 short_side`; empty where unknown.
        postprocessing: Fingerprint of what was fitted and applied afterwards; empty for nothing.
    """

    model: str = ""
    preprocessing: str = ""
    postprocessing: str = ""


@dataclass(frozen=True)
class Descriptors:
    """Descriptors of n pictures.

    Attributes:
        ids: n ids, no two alike.
        vectors: (n, D), an array or rows on disk.
        origin: What made them.
    """

    ids: Sequence[str]
    vectors: Vectors
    origin: Origin = Origin()

    def __post_init__(self) -> None:
        if len(self.vectors.shape) != 2 or len(self.vectors) != len(self.ids):
            raise ValueError(
                f"got {len(self.ids)} ids, vectors {tuple(self.vectors.shape)}; expected n"
            )
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"got {len(self.ids) - len(set(self.ids))} repeated ids; expected 0")
