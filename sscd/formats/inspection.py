"""What a file for the challenge is, and all that is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.errors import UserError
from sscd.formats.kinds import FileKind, kind_of
from sscd.formats.problems import Finding, Problem, bounded
from sscd.formats.track1.problems import track1_finding
from sscd.formats.track2.problems import (
    Lists,
    older_finding,
    only_list,
    parquet_finding,
    read_lists,
    track2_finding,
)


@dataclass(frozen=True)
class FileReport:
    """What was found of a file.

    Attributes:
        path: The file.
        kind: What it is by its content; None where that cannot be told.
        found: Lines: what is in it.
        problems: Lines: the first of each kind, then counts; empty where all is well.
        count: How many problems there are, listed or counted.
    """

    path: Path
    kind: FileKind | None
    found: tuple[str, ...]
    problems: tuple[str, ...]
    count: int


def inspect_file(
    path: Path, *, query_list: Path | None = None, reference_list: Path | None = None
) -> FileReport:
    """Find what a file is, and all that is wrong with it.

    Args:
        path: Descriptors, or predictions of track 1.
        query_list: A list file that holds the ids of all queries.
        reference_list: The same of all references.

    Raises:
        UserError: A list file cannot be read, or both are given for a file of one side.
    """
    lists = read_lists(query_list, reference_list)
    try:
        kind = kind_of(path)
    except UserError as error:
        return FileReport(path, None, (), (str(error),), count=1)
    if kind in ("vectors", "parquet"):
        only_list(path, lists)
    found: tuple[str, ...] = ()
    count = 0

    def finding() -> Iterator[Problem]:
        nonlocal found
        try:
            found = yield from _finding(path, kind, lists)
        except UserError as error:
            yield Problem("files that cannot be read", str(error))

    def counted() -> Iterator[Problem]:
        nonlocal count
        for problem in finding():
            count += 1
            yield problem

    listed = tuple(bounded(counted()))
    return FileReport(path, kind, found, listed, count)


def _finding(path: Path, kind: FileKind, lists: Lists) -> Finding:
    if kind == "track2":
        return track2_finding(path, lists)
    if kind == "vectors":
        return older_finding(path, lists)
    if kind == "parquet":
        return parquet_finding(path, lists)
    return track1_finding([path], lists)
