"""The scored pairs of one system, marked right or wrong: what all figures are counted from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sscd.data.ground_truth import GroundTruth
from sscd.evaluation.marking import Marks, mark_correct, mark_correct_ids, rows_of
from sscd.evaluation.metrics import PrecisionRecall, precision_recall
from sscd.evaluation.ranking import Scores
from sscd.evaluation.string_ids import Ids, distinct_ids

# (n,) rows of queries, (n,) rows of references, (n,) scores.
FoundPairs = tuple[NDArray[np.int64], NDArray[np.int64], Scores]


@dataclass(frozen=True)
class Candidates:
    """The scored pairs of one system over Q queries, n pairs in all.

    Attributes:
        query_ids: Q ids.
        query: (n,) index into `query_ids`.
        reference: (n,) row of the reference.
        scores: (n,) bigger is better.
        correct: (n,) whether the pair is in the ground truth.
        true_counts: (Q,) number of true pairs of each query, found or not.
    """

    query_ids: tuple[str, ...]
    query: NDArray[np.int64]
    reference: NDArray[np.int64]
    scores: Scores
    correct: Marks
    true_counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        lengths = {len(self.query), len(self.reference), len(self.scores), len(self.correct)}
        if len(lengths) != 1 or len(self.true_counts) != len(self.query_ids):
            raise ValueError(
                f"got arrays of {sorted(lengths)} pairs, {len(self.query_ids)} queries and "
                f"{len(self.true_counts)} counts; expected equal lengths"
            )

    @property
    def true_pairs(self) -> int:
        """Pairs of the ground truth, found or not."""
        return int(self.true_counts.sum())

    def curve(self) -> PrecisionRecall:
        """Precision and recall down the list of all pairs.

        Raises:
            ValueError: There is no true pair, or a score is NaN.
        """
        return precision_recall(self.scores, self.correct, true_pairs=self.true_pairs)


def everyone(query_ids: Sequence[str], truth: GroundTruth) -> tuple[str, ...]:
    """The queries that were searched and those the ground truth names, sorted.

    Queries without a descriptor stay in the list: their true pairs are missed, not forgotten.
    """
    named = truth.listed or frozenset()
    return tuple(sorted({*query_ids, *named, *(query for query, _ in truth.pairs)}))


def candidates_of(
    query_ids: Sequence[str],
    reference_ids: Sequence[str],
    found: FoundPairs,
    truth: GroundTruth,
) -> Candidates:
    """Name and mark the pairs that a search has found.

    Args:
        query_ids: Ids of the queries that were searched.
        reference_ids: Ids of the references.
        found: (n,) rows of queries, (n,) rows of references and (n,) scores.
        truth: The right pairs.

    Raises:
        ValueError: A pair was found twice.
    """
    query_row, reference, scores = found
    names = everyone(query_ids, truth)
    number = {name: index for index, name in enumerate(names)}
    searched = np.array([number[name] for name in query_ids], dtype=np.int64)
    row = rows_of(reference_ids, {name for _, name in truth.pairs})
    pairs = [(number[q], row.get(r, -1)) for q, r in truth.pairs]
    true = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    query = searched[query_row]
    return Candidates(
        query_ids=names,
        query=query,
        reference=reference,
        scores=scores,
        correct=mark_correct(query, reference, truth=true[true[:, 1] >= 0]),
        true_counts=np.bincount(true[:, 0], minlength=len(names)),
    )


def candidates_of_ids(
    query_ids: Ids, reference_ids: Ids, scores: Scores, truth: GroundTruth
) -> tuple[Candidates, list[str], int]:
    """Mark the pairs of a track-1 file.

    Pairs of queries that the ground truth does not list are left out.

    Args:
        query_ids: n ids.
        reference_ids: n ids.
        scores: (n,) bigger is better.
        truth: The right pairs, and the queries it speaks of.

    Returns:
        The candidates, the ids of the references that they count, and how many queries were left
        out.

    Raises:
        UserError: A pair occurs twice; it is named.
        ValueError: The ids and scores are not n each.
    """
    correct = mark_correct_ids(query_ids, reference_ids, truth=truth.pairs)
    if scores.shape != correct.shape:
        raise ValueError(f"got scores {scores.shape} of {len(correct)} pairs; expected one each")
    found, place = distinct_ids(query_ids)
    spoken_of = [name for name in found if truth.listed is None or name in truth.listed]
    names = everyone(spoken_of, truth)
    number = {name: index for index, name in enumerate(names)}
    searched = frozenset(spoken_of)
    numbers = [number[name] if name in searched else -1 for name in found]
    query = np.array(numbers, dtype=np.int64)[place]
    kept = query >= 0
    counts = np.bincount([number[name] for name, _ in truth.pairs], minlength=len(names))
    references, row = distinct_ids(reference_ids)
    candidates = Candidates(
        query_ids=names,
        query=query[kept],
        reference=row[kept],
        scores=scores[kept],
        correct=correct[kept],
        true_counts=counts.astype(np.int64, copy=False),
    )
    return candidates, references, len(found) - len(spoken_of)
