"""What is wrong with a file: found one by one, raised by readers, listed by `sscd check`."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from sscd.errors import UserError

LISTED = 20
"""Problems of one kind that are named; further ones are counted."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Problem:
    """One violation of a format.

    Attributes:
        kind: What sort it is, in the plural, such as `repeated ids`.
        text: One line: the file, the place in it, what is wrong, what was expected.
    """

    kind: str
    text: str


Finding = Generator[Problem, None, tuple[str, ...]]
"""Yields problems, and returns lines on what was found."""


def bounded(problems: Iterable[Problem], *, limit: int = LISTED) -> Iterator[str]:
    """Yield the lines of the first problems of each kind, then how many more there are.

    >>> list(bounded([Problem("cats", "a cat"), Problem("cats", "another")], limit=1))
    ['a cat', '1 more: cats']
    """
    counts: Counter[str] = Counter()
    for problem in problems:
        counts[problem.kind] += 1
        if counts[problem.kind] <= limit:
            yield problem.text
    for kind, count in counts.items():
        if count > limit:
            yield f"{count - limit:,} more: {kind}"


def raise_first(problems: Iterable[Problem]) -> None:
    """Raise the first problem, if there is one.

    Raises:
        UserError: There is one.
    """
    for problem in problems:
        raise UserError(problem.text)


def result_of(finding: Generator[Problem, Any, Result]) -> Result:
    """What a search for problems returns when it finds none.

    Raises:
        UserError: It finds one.
    """
    try:
        problem = next(finding)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    raise UserError(problem.text)
