"""Lines of track 1 to arrays: whole blocks at once where they are plain, else line by line."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.formats.ids import MAX_ID
from sscd.formats.problems import Problem
from sscd.formats.track1.csv_blocks import LineBlock, line_blocks
from sscd.formats.track1.csv_ids import csv_fault

HEADER = "query_id,reference_id,score"

_COMMA, _LINE_FEED, _QUOTE = b',\n"'
# Printable ASCII but for the quote, and the line feed: what needs no further look.
_PLAIN = bytes({*range(33, 127), _LINE_FEED} - {_QUOTE})


@dataclass(frozen=True)
class ScoredRows:
    """Lines of a file.

    Attributes:
        query_ids: n ids.
        reference_ids: n ids.
        scores: (n,), finite.
        lines: (n,) numbers of the lines, from 1.
    """

    query_ids: NDArray[np.bytes_]
    reference_ids: NDArray[np.bytes_]
    scores: NDArray[np.float64]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


def scored_rows(path: Path) -> Iterator[ScoredRows | Problem]:
    """Yield a file's lines in blocks, and what is wrong with lines that are left out of them.

    Raises:
        UserError: The file cannot be read.
    """
    empty = True
    for block in line_blocks(path):
        empty = False
        rest = _without_header(block)
        if not rest.text:
            continue
        rows = _plain_rows(rest)
        if rows is not None:
            yield rows
        else:
            yield from _careful_rows(path, rest)
    if empty:
        yield Problem("empty files", f"{path}: is empty; expected lines of {HEADER}")


def _without_header(block: LineBlock) -> LineBlock:
    if block.first != 1:
        return block
    line, _, rest = block.text.partition(b"\n")
    fields = [field.strip(b' \t"') for field in line.lower().split(b",")]
    if b",".join(fields) != HEADER.encode():
        return block
    return LineBlock(2, rest, cut=block.cut)


def _plain_rows(block: LineBlock) -> ScoredRows | None:
    """All lines at once; None where one of them needs a closer look."""
    text = _unquoted(block.text) if b'"' in block.text else block.text
    if text.translate(None, _PLAIN):
        return None
    codes = np.frombuffer(text, dtype=np.uint8)
    marks = np.flatnonzero((codes == _COMMA) | (codes == _LINE_FEED))
    if len(marks) % 3 or (codes[marks].reshape(-1, 3) != (_COMMA, _COMMA, _LINE_FEED)).any():
        return None
    widths = np.diff(marks, prepend=-1) - 1
    if widths.min() == 0 or widths.max() > MAX_ID:
        return None
    fields = text.replace(b"\n", b",").split(b",")
    try:
        scores = np.array([*map(float, fields[2::3])])
    except ValueError:
        return None
    # float() reads 1_000, which is no number of a CSV file.
    underscore = b"_" in text and any(b"_" in field for field in fields[2::3])
    if underscore or not np.isfinite(scores).all():
        return None
    lines = np.arange(block.first, block.first + len(scores))
    return ScoredRows(np.array(fields[0:-1:3]), np.array(fields[1::3]), scores, lines)


def _unquoted(text: bytes) -> bytes:
    """Lines without their quotes, if these enclose whole fields; else the lines as they are."""
    codes = np.frombuffer(text, dtype=np.uint8)
    quotes = codes == _QUOTE
    ends = np.flatnonzero((codes == _COMMA) | (codes == _LINE_FEED))
    starts = np.append(0, ends[:-1] + 1)
    opened = quotes[starts]
    closed = quotes[ends - 1] & (ends - 1 > starts)
    enclosing = (opened == closed).all() and 2 * opened.sum() == quotes.sum()
    return text.replace(b'"', b"") if enclosing else text


def _careful_rows(path: Path, block: LineBlock) -> Iterator[ScoredRows | Problem]:
    """Line by line; what is wrong with one is said, and it is left out."""
    queries: list[bytes] = []
    references: list[bytes] = []
    scores: list[float] = []
    numbers: list[int] = []
    lines = block.text.removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, start=block.first):
        found = _parse(line)
        if isinstance(found, Problem):
            cut = block.cut and number == block.first + len(lines) - 1
            hint = "; the file ends amid this line, it may be cut off" if cut else ""
            yield Problem(found.kind, f"{path}, line {number}{found.text}{hint}")
            continue
        queries.append(found[0])
        references.append(found[1])
        scores.append(found[2])
        numbers.append(number)
    if scores:
        ids = np.array(queries), np.array(references)
        yield ScoredRows(*ids, np.array(scores), np.array(numbers, dtype=np.int64))


def _parse(line: bytes) -> tuple[bytes, bytes, float] | Problem:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return Problem("lines that are not UTF-8", ": not UTF-8 text; write ASCII ids")
    fields = text.split(",")
    if '"' in text and "\0" not in text:
        try:
            fields = next(csv.reader([text], strict=True), [])
        except csv.Error as error:
            return Problem("malformed lines", f": {error}; write {HEADER}")
    fields = [field.strip() for field in fields] if text.strip() else []
    if len(fields) != 3:
        return Problem("malformed lines", f": got {len(fields)} fields; expected {HEADER}")
    ids = [field.encode() for field in fields[:2]]
    for name, item in zip(("query_id", "reference_id"), ids, strict=True):
        if fault := csv_fault(item):
            return Problem("unfit ids", f": {name} {fault}")
    try:
        score = float(fields[2]) if "_" not in fields[2] and fields[2].isascii() else math.nan
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        text = f": score {fields[2][:40]!r} is no finite number; expected one, as 0.5"
        return Problem("unfit scores", text)
    return ids[0], ids[1], score
