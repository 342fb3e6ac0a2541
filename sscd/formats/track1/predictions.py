"""Scored pairs of pictures: what track 1 is submitted and judged as."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.formats.extensions import match_ids


@dataclass(frozen=True)
class Predictions:
    """Scored pairs of track 1, of one file or several.

    Attributes:
        query_ids: (n,) ASCII bytes.
        reference_ids: (n,) ASCII bytes.
        scores: (n,) finite; higher is more confident.
        dropped: Lines over the limit, the lowest ones, that are not among the n.
    """

    query_ids: NDArray[np.bytes_]
    reference_ids: NDArray[np.bytes_]
    scores: NDArray[np.float64]
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.scores)

    def named_as(
        self, *, queries: Collection[str], references: Collection[str]
    ) -> tuple[Self, int]:
        """The same with ids as a ground truth has them, where only pictures' extensions differ.

        Args:
            queries: The known query ids.
            references: The known reference ids.

        Returns:
            The predictions, and how many distinct ids were changed, to be said.

        Raises:
            UserError: Two different ids would become one.
        """
        query_ids, first = _renamed(self.query_ids, queries)
        reference_ids, second = _renamed(self.reference_ids, references)
        return replace(self, query_ids=query_ids, reference_ids=reference_ids), first + second


def _renamed(ids: NDArray[np.bytes_], known: Collection[str]) -> tuple[NDArray[np.bytes_], int]:
    if not (np.ascontiguousarray(ids).view(np.uint8) == ord(".")).any() and not any(
        "." in item for item in known
    ):
        return ids, 0
    names, places = np.unique(ids, return_inverse=True)
    renamed = match_ids([item.decode("ascii") for item in names.tolist()], known)
    if not renamed.changed:
        return ids, 0
    return np.array([item.encode("ascii") for item in renamed.ids])[places], renamed.changed
