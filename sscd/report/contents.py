"""What is shown of systems side by side: their reports, the same queries of each, differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sscd.evaluation.bootstrap import Watch
from sscd.evaluation.differences import Difference, differences
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
    """

    judged: Judged
    report: Report
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Contents:
    """All that a page or a table shows, but for the pictures themselves.

    Attributes:
        systems: One or more; the others are compared with the first.
        differences: Of each other system to the first.
    """

    systems: tuple[Shown, ...]
    differences: tuple[Difference, ...]

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

    Where systems share queries, the queries are those that the first one's report chooses, so that
    the same query can be looked at in each of them.

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
    reports = [make_report(judged, samples=samples, pairs=pairs, watch=watch) for judged in systems]
    compared = [
        difference
        for judged in systems[1:]
        for difference in differences(judged, systems[0], samples=samples, watch=watch)
    ]
    wanted = frozenset(example.query for example in reports[0].examples)
    return Contents(
        systems=tuple(
            Shown(judged, report, _examples(judged, report, wanted))
            for judged, report in zip(systems, reports, strict=True)
        ),
        differences=tuple(compared),
    )


def _examples(judged: Judged, report: Report, wanted: frozenset[str]) -> tuple[Example, ...]:
    """A system's results for the wanted queries; those of its report where it has none of them."""
    if wanted == {example.query for example in report.examples}:
        return report.examples
    every = choose_examples(judged, pairs=max(len(judged.evaluation.candidates.query_ids), 1))
    return tuple(one for one in every if one.query in wanted) or report.examples
