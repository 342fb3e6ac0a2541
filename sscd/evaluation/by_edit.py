"""Figures by the operation that made the copies, and by how many operations did.

A group g is some of the copies C, the queries that have a true pair; D are the distractors, all
other queries. Micro-AP of g takes the pairs of g's copies and those of all distractors. A pair of a
distractor counts as w = |g| / |C| of a pair, so that the mixture is that of the whole set: with T_g
true pairs in g, and f, x and d right pairs of g, wrong pairs of g and pairs of distractors so far,

    μAP_g = 1/T_g · Σ over right pairs of g of f / (f + x + w·d).

Groups of different size can be compared so; the group of all copies has the micro-AP of the set.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sscd.errors import UserError
from sscd.evaluation.candidates import Candidates
from sscd.evaluation.edit_records import Operations
from sscd.evaluation.metrics import recall_at_precision
from sscd.evaluation.ranking import rank_within_queries, ranking


@dataclass(frozen=True)
class EditGroup:
    """The copies that an operation, or a number of operations, has made.

    Attributes:
        name: The operation, or the number of operations.
        copies: Queries in the group.
        micro_ap: Micro-AP of the group, distractors weighted.
        recall_at_p90: Share of the group's true pairs at or above the whole set's threshold for
            90 % precision.
        recall_at_1: Share of the group's true pairs that are their query's first candidate.
    """

    name: str
    copies: int
    micro_ap: float
    recall_at_p90: float
    recall_at_1: float


@dataclass(frozen=True)
class EditBreakdown:
    """Figures by edit.

    Attributes:
        operations: A group an operation, the least survived first. A copy is in the groups of all
            its operations.
        counts: A group a number of operations, rising.
        threshold_at_p90: The whole set's, for recall; inf where nothing reaches it.
        copies: Copies in the whole set.
        unrecorded_copies: Copies without a record; they are in no group.
        unrecorded_queries: Queries without a record, those copies and distractors.
    """

    operations: tuple[EditGroup, ...]
    counts: tuple[EditGroup, ...]
    threshold_at_p90: float
    copies: int
    unrecorded_copies: int
    unrecorded_queries: int

    def as_json(self) -> dict[str, Any]:
        """Plain values; a threshold that does not exist is None."""
        threshold = self.threshold_at_p90 if math.isfinite(self.threshold_at_p90) else None
        return {
            "operations": [asdict(group) for group in self.operations],
            "counts": [asdict(group) for group in self.counts],
            "threshold_at_p90": threshold,
            "copies": self.copies,
            "unrecorded_copies": self.unrecorded_copies,
            "unrecorded_queries": self.unrecorded_queries,
        }

    @property
    def warning(self) -> str | None:
        """What to say of queries without a record; None where all have one."""
        if not self.unrecorded_queries:
            return None
        return (
            f"{self.unrecorded_queries} queries have no record of edits, "
            f"{self.unrecorded_copies} of the {self.copies} copies among them; "
            "those copies are in no group"
        )


def figures_by_edit(candidates: Candidates, edits: Mapping[str, Operations]) -> EditBreakdown:
    """Break an evaluation down by the edits that made its copies.

    Args:
        candidates: Scored pairs of an evaluation.
        edits: The operations of every query, by its id; those of other queries are left alone.

    Raises:
        UserError: No copy has a record.
        ValueError: There is no true pair, or a score is NaN.
    """
    _, threshold = recall_at_precision(candidates.curve(), 0.9)
    is_copy = candidates.true_counts > 0
    recorded = np.array([query in edits for query in candidates.query_ids], dtype=np.bool_)
    if not (is_copy & recorded).any():
        raise UserError(
            f"none of the {np.count_nonzero(is_copy)} copies has a record of its edits; "
            "check that the records belong to this set of queries"
        )
    members: dict[str, list[int]] = {}
    counts: dict[int, list[int]] = {}
    for query in np.flatnonzero(is_copy & recorded).tolist():
        operations = edits[candidates.query_ids[query]]
        counts.setdefault(len(operations), []).append(query)
        for name in sorted(set(operations)):
            members.setdefault(name, []).append(query)
    groups = _Groups(candidates, threshold)
    by_operation = [groups.judge(name, queries) for name, queries in members.items()]
    return EditBreakdown(
        operations=tuple(sorted(by_operation, key=lambda group: (group.micro_ap, group.name))),
        counts=tuple(groups.judge(str(count), counts[count]) for count in sorted(counts)),
        threshold_at_p90=threshold,
        copies=int(np.count_nonzero(is_copy)),
        unrecorded_copies=int(np.count_nonzero(is_copy & ~recorded)),
        unrecorded_queries=int(np.count_nonzero(~recorded)),
    )


class _Groups:
    """The list of all pairs, sorted once and counted for one group after the other."""

    def __init__(self, candidates: Candidates, threshold: float) -> None:
        self.true_counts = candidates.true_counts
        self.copies = np.count_nonzero(self.true_counts)
        order, place = rank_within_queries(candidates.query, candidates.scores, candidates.correct)
        first = np.zeros(len(order), dtype=np.bool_)
        first[order] = place == 0
        order = ranking(candidates.scores, candidates.correct)
        self.query = candidates.query[order]
        self.correct = candidates.correct[order]
        self.first = first[order]
        self.accepted = candidates.scores[order] >= threshold
        self.distractors = np.cumsum(self.true_counts[self.query] == 0)

    def judge(self, name: str, queries: list[int]) -> EditGroup:
        """The figures of some copies."""
        inside = np.zeros(len(self.true_counts), dtype=np.bool_)
        inside[queries] = True
        own = np.flatnonzero(inside[self.query])
        places = np.flatnonzero(self.correct[own])
        right = own[places]
        listed = (places + 1) + len(queries) / self.copies * self.distractors[right]
        true_pairs = int(self.true_counts[queries].sum())
        return EditGroup(
            name=name,
            copies=len(queries),
            micro_ap=float(np.sum(np.arange(1, len(right) + 1) / listed)) / true_pairs,
            recall_at_p90=float(np.count_nonzero(self.accepted[right])) / true_pairs,
            recall_at_1=float(np.count_nonzero(self.first[right])) / true_pairs,
        )
