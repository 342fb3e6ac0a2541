"""An inverted file: for every visual word the pictures that have it, with their signatures."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sscd.baselines.how.aggregation import PictureWords, signature_width
from sscd.baselines.how.selectivity import Selectivity

_ENTRIES = 1 << 16  # compared at once: what stays in a core's cache


@dataclass(frozen=True, eq=False)
class InvertedFile:
    """Lists of E entries in all, one list after the other.

    Attributes:
        offsets: (words + 1,) int64: the list of word w is `offsets[w]:offsets[w + 1]`.
        images: (E,) uint32, the picture of each entry.
        signatures: (E, W) uint64, its signature for the word.
        count: Pictures R; one may have no entry.
        dims: Bits D of a signature.
    """

    offsets: NDArray[np.int64]
    images: NDArray[np.uint32]
    signatures: NDArray[np.uint64]
    count: int
    dims: int

    def __post_init__(self) -> None:
        entries = len(self.images)
        if self.count < 0:
            raise ValueError(f"got {self.count} pictures; expected none or some")
        if self.signatures.shape != (entries, signature_width(self.dims)):
            raise ValueError(
                f"signatures got shape {self.signatures.shape}; expected "
                f"({entries}, {signature_width(self.dims)}) for {self.dims} bits"
            )
        if len(self.offsets) < 2 or self.offsets[0] != 0 or self.offsets[-1] != entries:
            raise ValueError(f"offsets do not run from 0 to the {entries:,} entries")
        if (np.diff(self.offsets) < 0).any():
            raise ValueError("offsets fall; expected them to rise")
        if entries and int(self.images.max()) >= self.count:
            raise ValueError(
                f"images hold {int(self.images.max())}; expected numbers below {self.count}"
            )

    @property
    def words(self) -> int:
        """How many words there are."""
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(R,) words of each picture: its similarity to itself, since equal signatures count 1."""
        return np.bincount(self.images, minlength=self.count)

    def scores(self, query: PictureWords, selectivity: Selectivity) -> NDArray[np.float64]:
        """The similarity of a picture and each of the R pictures here, from 0 to 1.

        `Σ_w σ(u_w) / √(S(q) · S(r))` over the words that both have; S is the sum for a picture and
        itself. No word weighs more than another.

        Args:
            query: Words below `self.words`, signatures of D bits.
            selectivity: σ.

        Returns:
            (R,), 0 where no word agrees.
        """
        table = selectivity.by_distance(self.dims)
        starts, ends = self.offsets[query.words], self.offsets[query.words + 1]
        sums = np.zeros(self.count)
        for part in _parts(ends - starts):
            self._add(sums, query.signatures[part], starts[part], ends[part], table)
        norms = np.sqrt(np.maximum(self.lengths, 1) * max(len(query), 1))
        result: NDArray[np.float64] = sums / norms
        return result

    def _add(
        self,
        sums: NDArray[np.float64],
        signatures: NDArray[np.uint64],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        table: NDArray[np.float64],
    ) -> None:
        """Add σ of the entries of some lists, each against one signature, to (R,) sums."""
        lists = [slice(*pair) for pair in zip(starts.tolist(), ends.tolist(), strict=True)]
        different = np.concatenate([self.signatures[own] for own in lists])
        different ^= np.repeat(signatures, ends - starts, axis=0)
        distances = _bits(different)
        # σ falls to 0 and stays there: half of all entries need not be counted.
        counting = np.flatnonzero(distances < np.count_nonzero(table))
        images = np.concatenate([self.images[own] for own in lists])[counting]
        np.add.at(sums, images, table[distances[counting]])


def _bits(values: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """The bits that are set in each row of (n, W)."""
    counts = np.bitwise_count(values)
    # A column after the other: a sum over so short an axis is several times as slow.
    total = counts[:, 0].astype(np.uint16)
    for column in range(1, values.shape[1]):
        total += counts[:, column]
    return total


def _parts(lengths: NDArray[np.int64]) -> list[slice]:
    """Cut neighbouring lists to parts of about `_ENTRIES` entries; empty parts are left out."""
    if not len(lengths):
        return []
    number = np.cumsum(lengths) // _ENTRIES
    bounds = [*np.flatnonzero(np.diff(number, prepend=-1)).tolist(), len(lengths)]
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]
