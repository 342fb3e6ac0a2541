"""A weight and a range of ranks among a descriptor's nearest training descriptors."""

import math
import re
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search.knn import Device, nearest
from sscd.vectors import Vectors, take_rows

_WRITTEN = re.compile(r"([^\[\]]+)\[\s*(\d+)\s*(?:,\s*(\d+)\s*)?\]")
_ROWS = 4096


@dataclass(frozen=True)
class Neighbourhood:
    """Which training descriptors count, and how much: `1.0[0,2]`, as SSCD writes it.

    Attributes:
        weight: β or w, at least 0.
        first: First rank that counts; 0 is the most similar training descriptor.
        last: Last rank that counts. `[9]` is `[9,9]`, the 10th: DISC21's `n = 10`.
    """

    weight: float
    first: int
    last: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"got weight {self.weight}; expected a number from 0 on")
        if not 0 <= self.first <= self.last:
            raise ValueError(f"got ranks {self.first} to {self.last}; expected 0 <= first <= last")

    @classmethod
    def parse(cls, text: str, *, option: str) -> Self:
        """Read `WEIGHT[RANK]` or `WEIGHT[FIRST,LAST]`, ranks from 0.

        Args:
            text: For example `1.0[0,2]`.
            option: What is named in errors.

        Raises:
            UserError: It reads otherwise.

        >>> Neighbourhood.parse("0.5[9]", option="--score_norm")
        Neighbourhood(weight=0.5, first=9, last=9)
        """
        found = _WRITTEN.fullmatch(text.strip())
        try:
            if found is None:
                raise ValueError("not of that form")
            weight, first, last = found.groups()
            return cls(float(weight), int(first), int(last if last is not None else first))
        except ValueError as error:
            raise UserError(
                f"{option} {text}: {error}; write WEIGHT[FIRST,LAST], ranks from 0, as '1.0[0,2]'"
            ) from error

    def __str__(self) -> str:
        ranks = str(self.first) if self.first == self.last else f"{self.first},{self.last}"
        return f"{self.weight!r}[{ranks}]"

    def find(
        self, vectors: Vectors, training: Vectors, *, device: Device = "auto"
    ) -> NDArray[np.int64]:
        """Rows (n, last − first + 1) of the training descriptors that count, by inner product.

        Raises:
            UserError: There are not `last` + 1 training descriptors.
        """
        if len(training) <= self.last:
            raise UserError(
                f"{self} needs {self.last + 1} training descriptors, got {len(training)}; "
                "add training pictures or lower the ranks"
            )
        found = nearest(vectors, training, k=self.last + 1, metric="inner_product", device=device)
        return found.indices[:, self.first :]

    def mean_similarity(
        self, vectors: Vectors, training: Vectors, *, device: Device = "auto"
    ) -> NDArray[np.float64]:
        """Mean inner product (n,) with the training descriptors that count, in float64.

        Raises:
            UserError: As `find`.
        """
        rows = self.find(vectors, training, device=device)
        result = np.empty(len(vectors))
        for start in range(0, len(vectors), _ROWS):
            own = np.asarray(vectors[start : start + _ROWS], np.float64)
            others = take_rows(training, rows[start : start + _ROWS])
            result[start : start + len(own)] = np.einsum("nd,nkd->nk", own, others).mean(axis=1)
        return result

    def mean_descriptor(
        self, vectors: Vectors, training: Vectors, *, device: Device = "auto"
    ) -> NDArray[np.float64]:
        """Mean (n, D) of the training descriptors that count, in float64.

        Raises:
            UserError: As `find`.
        """
        rows = self.find(vectors, training, device=device)
        result = np.empty((len(vectors), training.shape[1]))
        for start in range(0, len(vectors), _ROWS):
            others = take_rows(training, rows[start : start + _ROWS])
            result[start : start + len(others)] = others.mean(axis=1, dtype=np.float64)
        return result
