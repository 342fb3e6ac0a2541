"""The best pairs of queries and an inverted file, without and with score normalisation."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.baselines.how.aggregation import PictureWords
from sscd.baselines.how.inverted_file import InvertedFile
from sscd.baselines.how.selectivity import Selectivity
from sscd.search.engines.shortlist import Shortlist
from sscd.search.pairs import Pairs
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.terminal import tracked


@dataclass(frozen=True, eq=False)
class Ranker:
    """Scores queries one by one and keeps the best pairs of all of them, exactly.

    A pair whose words do not agree at all has score 0, and is not listed: an inverted file does not
    find it.

    Attributes:
        references: What is searched.
        training: What scores are normalised by.
        selectivity: Of the similarity.
        norm: β and the ranks of the training pictures that count.
        plain: The best pairs so far; a pair's number is query · R + reference.
        normalised: The same, by the normalised score.
    """

    references: InvertedFile
    training: InvertedFile
    selectivity: Selectivity
    norm: Neighbourhood
    plain: Shortlist
    normalised: Shortlist

    @classmethod
    def build(
        cls,
        references: InvertedFile,
        training: InvertedFile,
        *,
        queries: int,
        selectivity: Selectivity,
        norm: Neighbourhood,
        limit: int,
    ) -> Self:
        """A ranker without any pair.

        Args:
            references: What is searched.
            training: More than `norm.last` pictures.
            queries: How many there will be at most.
            selectivity: Of the similarity.
            norm: Of the normalisation.
            limit: Pairs wanted.

        Raises:
            ValueError: `limit` is not positive, or there are too few training pictures.
        """
        if limit < 1:
            raise ValueError(f"got limit={limit}; expected at least 1")
        if training.count <= norm.last:
            raise ValueError(f"got {training.count} training pictures; {norm} needs more")
        most = max(min(limit, queries * references.count), 1)
        lists = Shortlist(most), Shortlist(most)
        return cls(references, training, selectivity, norm, *lists)

    def add(self, queries: Sequence[tuple[int, PictureWords]], *, threads: int) -> None:
        """Score queries, each with its row, against all references, with a progress bar.

        Args:
            queries: Each row once, over all calls.
            threads: That score at once, each a query.
        """
        with ThreadPoolExecutor(threads) as pool:
            found = pool.map(self._add_one, queries)
            for _ in tracked(found, "searching", total=len(queries), unit="queries"):
                pass

    def _add_one(self, query: tuple[int, PictureWords]) -> None:
        row, words = query
        scores = self.references.scores(words, self.selectivity)
        found = np.flatnonzero(scores)
        scores, numbers = scores[found], row * self.references.count + found
        self.plain.add(scores.astype(np.float32), numbers)
        shift = self.norm.weight * self._known_similarity(words)
        self.normalised.add((scores - shift).astype(np.float32), numbers)

    def _known_similarity(self, words: PictureWords) -> float:
        """`s(q, tₙ)` of DISC21's equation 2, or the mean over ranks."""
        scores = self.training.scores(words, self.selectivity)
        first, last = (len(scores) - 1 - rank for rank in (self.norm.last, self.norm.first))
        return float(np.partition(scores, (first, last))[first : last + 1].mean())

    def pairs(self, rows: NDArray[np.int64]) -> tuple[Pairs, Pairs]:
        """The best pairs without and with normalisation.

        Args:
            rows: The rows of the queries that could be read, rising: a query counts by its place
                among them.
        """
        return _pairs(self.plain, rows, self.references), _pairs(
            self.normalised, rows, self.references
        )


def _pairs(found: Shortlist, rows: NDArray[np.int64], references: InvertedFile) -> Pairs:
    scores, numbers = found.result()
    count = max(references.count, 1)
    return Pairs(np.searchsorted(rows, numbers // count), numbers % count, scores)
