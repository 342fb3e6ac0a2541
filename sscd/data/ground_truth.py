"""Which query is a copy of which reference: the ground-truth file, read and written.

The file holds `query_id,reference_id` lines with an optional header; a distractor has an empty
reference (DISC21, section 6.1; the public files come in both forms).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.errors import UserError
from sscd.files import atomic_path

HEADER = ("query_id", "reference_id")


@dataclass(frozen=True)
class GroundTruth:
    """True pairs, and the queries that the file speaks of.

    Attributes:
        pairs: (query id, reference id) of every true copy.
        listed: The queries the file speaks of, copies and distractors; None where it speaks of all
            (a file without header that holds true pairs only).
    """

    pairs: frozenset[tuple[str, str]]
    listed: frozenset[str] | None = None


def read_ground_truth(path: Path) -> GroundTruth:
    """Read a ground-truth file.

    A byte-order mark, CRLF line ends and blank lines at the end are accepted.

    Raises:
        UserError: The file cannot be read, holds nothing, or has a malformed, repeated or
            contradictory line; the message gives the line number.
    """
    pairs: set[tuple[str, str]] = set()
    distractors: set[str] = set()
    has_header = False
    for number, (query, reference) in _rows(path):
        if number == 1 and (query.lower(), reference.lower()) == HEADER:
            has_header = True
        elif not query:
            raise _malformed(path, number, "the query id is empty; write query_id,reference_id")
        elif (query, reference) in pairs or (not reference and query in distractors):
            raise _malformed(path, number, f"{query},{reference} is there twice; delete one line")
        elif reference:
            pairs.add((query, reference))
        else:
            distractors.add(query)
    queries = {query for query, _ in pairs}
    if both := sorted(queries & distractors):
        raise UserError(
            f"{path}: query {both[0]} has a reference on one line and none on another; delete one"
        )
    if not queries and not distractors:
        raise UserError(f"{path}: names no query; expected lines of query_id,reference_id")
    speaks_of_all = not has_header and not distractors
    return GroundTruth(
        pairs=frozenset(pairs), listed=None if speaks_of_all else frozenset(queries | distractors)
    )


def write_ground_truth(path: Path, truth: GroundTruth) -> None:
    """Write a ground-truth file that reads back equal, its lines sorted.

    Raises:
        ValueError: There is nothing to write, a pair's query is not listed, or an id has
            characters that a line cannot hold.
        UserError: The file cannot be written.
    """
    queries = {query for query, _ in truth.pairs}
    listed = truth.listed
    if not queries and not listed:
        raise ValueError("got a ground truth without queries; expected one at least")
    if listed is not None and not queries <= listed:
        missing = min(queries - listed)
        raise ValueError(f"got pairs of query {missing!r} that is not listed; expected it listed")
    rows = sorted(truth.pairs | {(query, "") for query in (listed or frozenset()) - queries})
    for image_id in {part for row in rows for part in row}:
        if image_id != image_id.strip() or set(image_id) & set(',"\r\n'):
            raise ValueError(f"got id {image_id!r}; expected no blanks around it, commas or quotes")
    lines = [",".join(row) for row in ([HEADER] if listed is not None else []) + rows]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def _rows(path: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read ground truth {path}: {reason}; give a CSV file") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise _malformed(path, number, "not UTF-8 text; give a CSV file") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
    for number, line in enumerate(lines if lines != [""] else [], start=1):
        try:
            fields = [field.strip() for field in next(csv.reader([line], strict=True), [])]
        except csv.Error as error:
            raise _malformed(path, number, f"{error}; write query_id,reference_id") from error
        if len(fields) != 2:
            raise _malformed(path, number, f"got {len(fields)} fields; write query_id,reference_id")
        yield number, (fields[0], fields[1])


def _malformed(path: Path, number: int, what: str) -> UserError:
    return UserError(f"{path}, line {number}: {what}")
