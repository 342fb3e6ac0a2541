"""What single queries came to: the pairs that people look at."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sscd.evaluation.edit_records import Operations
from sscd.evaluation.judged import Judged
from sscd.evaluation.ranking import rank_within_queries

PAIRS = 2000


@dataclass(frozen=True)
class Example:
    """One query: what was found for it, and what should have been.

    Attributes:
        query: Its id.
        found: Id of its first candidate; None where there is no candidate.
        score: Of that pair; None where there is none.
        correct: Whether that pair is in the ground truth.
        expected: Id of the reference that it is a copy of (the one with the highest score of
            several); None for a distractor.
        expected_score: Score of the pair with `expected`; None where it is not among the
            candidates.
        edits: Names of the operations that made the query, in order; empty where not known.
    """

    query: str
    found: str | None
    score: float | None
    correct: bool
    expected: str | None
    expected_score: float | None
    edits: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"edits": list(self.edits)}


def false_matches(examples: tuple[Example, ...]) -> list[Example]:
    """Those whose first candidate is wrong, the most confident first."""
    wrong = [one for one in examples if one.found is not None and not one.correct]
    return sorted(wrong, key=lambda one: (-_score(one.score), one.query))


def missed_copies(examples: tuple[Example, ...], *, threshold: float) -> list[Example]:
    """The copies whose true pair is below a threshold, the nearest first; those not found last."""
    missed = [
        one
        for one in examples
        if one.expected is not None
        and (one.expected_score is None or one.expected_score < threshold)
    ]
    return sorted(missed, key=lambda one: (-_score(one.expected_score), one.query))


def _score(score: float | None) -> float:
    return -math.inf if score is None else score


def choose_examples(judged: Judged, *, pairs: int = PAIRS) -> tuple[Example, ...]:
    """All queries, or the most telling of them, the surest first candidate first.

    Where there are more queries than `pairs`, a third of them are the most confident false matches,
    a third copies whose true pair is not their first candidate, and the rest are spread evenly
    over all others, by score.

    Args:
        judged: A system with its candidates.
        pairs: How many queries at most.

    Raises:
        ValueError: `pairs` is below 1, or a score is NaN.
    """
    if pairs < 1:
        raise ValueError(f"got {pairs} pairs; expected at least 1")
    table = _Table.of(judged)
    return tuple(table.example(row, judged.edits or {}) for row in _chosen(table, pairs))


@dataclass(frozen=True)
class _Table:
    """A row for each of Q queries: the pair that comes first, and the best true pair; −1 for none.

    Both are places in the list of candidates.
    """

    judged: Judged
    first: NDArray[np.int64]
    true: NDArray[np.int64]
    expected: Mapping[str, str]

    @classmethod
    def of(cls, judged: Judged) -> "_Table":
        candidates = judged.evaluation.candidates
        count = len(candidates.query_ids)
        order, place = rank_within_queries(candidates.query, candidates.scores, candidates.correct)
        first = np.full(count, -1, dtype=np.int64)
        first[candidates.query[order[place == 0]]] = order[place == 0]
        right = order[candidates.correct[order]][::-1]  # so that the best one is written last
        true = np.full(count, -1, dtype=np.int64)
        true[candidates.query[right]] = right
        # Of several true references that were not found, the one with the smallest id.
        expected = dict(sorted(judged.truth.pairs, reverse=True))
        return cls(judged, first, true, expected)

    def score(self, place: int) -> float | None:
        if place < 0:
            return None
        return float(self.judged.evaluation.candidates.scores[place])

    def reference(self, place: int) -> str | None:
        if place < 0:
            return None
        evaluation = self.judged.evaluation
        return evaluation.reference_ids[int(evaluation.candidates.reference[place])]

    def example(self, row: int, edits: Mapping[str, Operations]) -> Example:
        candidates = self.judged.evaluation.candidates
        query = candidates.query_ids[row]
        first, true = int(self.first[row]), int(self.true[row])
        return Example(
            query=query,
            found=self.reference(first),
            score=self.score(first),
            correct=first >= 0 and bool(candidates.correct[first]),
            expected=self.reference(true) or self.expected.get(query),
            expected_score=self.score(true),
            edits=tuple(edits.get(query, ())),
        )


def _chosen(table: _Table, pairs: int) -> list[int]:
    candidates = table.judged.evaluation.candidates
    found = table.first >= 0
    scores = np.full(len(table.first), -np.inf)
    scores[found] = candidates.scores[table.first[found]]
    order = np.lexsort((np.arange(len(scores)), -scores))
    if len(order) <= pairs:
        return [int(row) for row in order]
    correct = np.zeros(len(scores), dtype=np.bool_)
    correct[found] = candidates.correct[table.first[found]]
    third = pairs // 3
    wrong = order[found[order] & ~correct[order]][:third]
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[wrong] = True
    missed = order[(candidates.true_counts[order] > 0) & ~correct[order] & ~chosen[order]]
    chosen[_evenly(missed, third)] = True
    chosen[_evenly(order[~chosen[order]], pairs - int(chosen.sum()))] = True
    return [int(row) for row in order[chosen[order]]]


def _evenly(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]
