from collections.abc import Generator

import pytest

from sscd.errors import UserError
from sscd.formats.problems import Problem, bounded, raise_first, result_of


def test_each_kind_is_bounded_and_counted() -> None:
    problems = [Problem(kind, f"{kind} {i}") for i in range(50) for kind in ("rows", "ids")]
    lines = list(bounded([*problems, Problem("files", "one file")]))
    assert lines[:2] == ["rows 0", "ids 0"]
    assert lines[-3:] == ["one file", "30 more: rows", "30 more: ids"]
    assert len(lines) == 43


def test_the_first_is_raised() -> None:
    with pytest.raises(UserError, match=r"^a$"):
        raise_first([Problem("k", "a"), Problem("k", "b")])
    raise_first([])

    def finding(*problems: Problem) -> Generator[Problem, None, int]:
        yield from problems
        return 7

    assert result_of(finding()) == 7
    with pytest.raises(UserError, match=r"^a$"):
        result_of(finding(Problem("k", "a"), Problem("k", "b")))
