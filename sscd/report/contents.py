"""What is shown of systems side by side: their reports, the same queries of each, differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sscd.evaluation.bootstrap import Watch
from sscd.evaluation.differences import Difference, differences, other_data, same_queries
from sscd.evaluation.examples import PAIRS, Example, choose_examples
from sscd.evaluation.judged import Judged
from sscd.evaluation.report import Report, make_report


@dataclass(frozen=True)
class Shown:
    """One system.

    Attributes:
        judged: Where its pictures lie, and what it was judged by.
        report: Its figures.
        examples: Its results for the queries that are shown, the surest first.
        group: The place of the first system that was judged on the same queries by the same truth;
            single queries are looked at side by side within a group alone.
    """

    judged: Judged
    report: Report
    examples: tuple[Example, ...]
    group: int = 0


@dataclass(frozen=True)
class Contents:
    """All that a page or a table shows, but for the pictures themselves.

    Attributes:
        systems: One or more; the others are compared with the first.
        differences: Of each other system to the first.
    """

    systems: tuple[Shown, ...]
    differences: tuple[Difference, ...]

    @property
    def mixed(self) -> str:
        """What to say where not all systems were judged on the same data; else empty."""
        first = self.systems[0].judged
        if not any(other_data(shown.judged, first) for shown in self.systems[1:]):
            return ""
        return "these runs were judged on different data; their figures do not compare"

    def as_json(self) -> dict[str, Any]:
        """Plain values: the reports as they are, and the differences."""
        return {
            "reports": [shown.report.as_json() for shown in self.systems],
            "differences": [one.as_json() for one in self.differences],
        }


def make_contents(
    systems: Sequence[Judged], *, pairs: int = PAIRS, samples: int = 1000, watch: Watch = iter
) -> Contents:
    """Make the reports of systems, and compare them.

    Systems that were judged on the same queries show those that the report of the first of them
    chooses, so that the same query can be looked at in each. One that does not say where its
    pictures lie shows those of another of them.

    Args:
        systems: One or more, their names unlike one another.
        pairs: Queries that are shown, at most.
        samples: Resamples of the bootstrap intervals; 0 for none.
        watch: What the numbers of the resamples go through.

    Raises:
        UserError: Edits are given, and no copy has a record of them.
        ValueError: There is no system, two have one name, or as `make_report`.
    """
    names = [judged.system for judged in systems]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"got systems named {names}; expected one or more, each of its own name")
    groups = [
        next(place for place, one in enumerate(systems) if same_queries(one, judged))
        for judged in systems
    ]
    systems = _with_pictures(systems, groups)
    reports = [make_report(judged, samples=samples, pairs=pairs, watch=watch) for judged in systems]
    compared = [
        difference
        for judged in systems[1:]
        for difference in differences(judged, systems[0], samples=samples, watch=watch)
    ]
    return Contents(
        systems=tuple(
            Shown(judged, report, _examples(judged, report, reports[group]), group)
            for judged, report, group in zip(systems, reports, groups, strict=True)
        ),
        differences=tuple(compared),
    )


def _with_pictures(systems: Sequence[Judged], groups: Sequence[int]) -> list[Judged]:
    queries: dict[int, str] = {}
    references: dict[int, str] = {}
    for judged, group in zip(systems, groups, strict=True):
        queries[group] = queries.get(group) or judged.query_pictures
        references[group] = references.get(group) or judged.reference_pictures
    return [
        replace(
            judged,
            query_pictures=judged.query_pictures or queries[group],
            reference_pictures=judged.reference_pictures or references[group],
        )
        for judged, group in zip(systems, groups, strict=True)
    ]


def _examples(judged: Judged, report: Report, chooser: Report) -> tuple[Example, ...]:
    """A system's results for the queries that a report of the same queries chooses."""
    wanted = frozenset(example.query for example in chooser.examples)
    if wanted == {example.query for example in report.examples}:
        return report.examples
    every = choose_examples(judged, pairs=max(len(judged.evaluation.candidates.query_ids), 1))
    return tuple(one for one in every if one.query in wanted)
