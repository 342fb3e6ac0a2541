"""The file of the Image Similarity Challenge's track 1: pairs with scores, at most 500,000.

CSV lines of `query_id,reference_id,score`, higher scores more confident (DISC21 paper, section
6.2); the header may be missing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.formats.problems import Problem, raise_first
from sscd.formats.track1.best_rows import BestRows, Scores, falling_order
from sscd.formats.track1.csv_ids import AnyIds, csv_ids
from sscd.formats.track1.lines import HEADER, scored_rows
from sscd.formats.track1.pair_hashes import Hashes, pair_hashes, repeated, repeated_pairs
from sscd.formats.track1.predictions import Predictions

LIMIT = 500_000
"""Most predictions that the challenge takes."""

_LINES = 65_536


@dataclass(frozen=True)
class Written:
    """What became of the pairs given to `write_track1`.

    Attributes:
        lines: How many were written.
        dropped: How many were over the limit.
    """

    lines: int
    dropped: int


def write_track1(
    path: Path, blocks: Iterable[tuple[AnyIds, AnyIds, Scores]], *, limit: int = LIMIT
) -> Written:
    """Write the best pairs by falling score, equal ones by their ids; whole or not at all.

    Scores are written with the fewest digits that read back to the same number of their type:
    distinct ones never look alike, and equal ones do (also 0 and −0).

    Args:
        path: The CSV file.
        blocks: (query ids, reference ids, scores) of n pairs each, as they are found; all scores
            float32 or all float64.
        limit: Most lines; no more than twice as many pairs and a block are in memory.

    Raises:
        UserError: An id is empty, not ASCII, or has a comma, quote or blank; or the file cannot be
            written.
        ValueError: A score is not finite or of another type, lengths differ, or a pair repeats.
    """
    best = BestRows(limit)
    dtype: np.dtype[np.floating] | None = None
    for query_ids, reference_ids, scores in blocks:
        dtype = scores.dtype if dtype is None else dtype
        if scores.dtype != dtype or dtype not in (np.float32, np.float64):
            raise ValueError(f"got scores of {scores.dtype}; expected float32 or float64, no mix")
        if not len(query_ids) == len(reference_ids) == len(scores):
            lengths = f"{len(query_ids)} query ids, {len(reference_ids)} reference ids"
            raise ValueError(f"got {lengths}, {len(scores)} scores; expected as many")
        if not np.isfinite(scores).all():
            raise ValueError("got a score that is not finite; expected numbers")
        # −0 equals 0, and must not look otherwise.
        queries = csv_ids(path, "query id", query_ids)
        references = csv_ids(path, "reference id", reference_ids)
        best.add(queries, references, scores + 0)
    queries, references, kept = best.rows()
    if len(again := repeated(pair_hashes(queries, references))):
        raise ValueError(f"got {len(again)} pairs twice; expected each once")
    order = falling_order(queries, references, kept)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(f"{HEADER}\n".encode())
        for start in range(0, len(order), _LINES):
            rows = order[start : start + _LINES]
            columns = (queries[rows], references[rows], kept[rows].astype(np.bytes_))
            stream.writelines(
                b"%s,%s,%s\n" % line for line in zip(*(c.tolist() for c in columns), strict=True)
            )
    return Written(len(kept), best.seen - len(kept))


def read_track1(paths: Path | Sequence[Path], *, limit: int = LIMIT) -> Predictions:
    """Read and check predictions of one file, or of several as one, in blocks.

    Files are predictions of one set of queries, for instance of machines that searched different
    references. Every line is checked, also those over the limit.

    Args:
        paths: The files, with a header or without.
        limit: Keep so many, the best; of equal ones at the cut those of lowest ids.

    Returns:
        The predictions in the order of files and lines. Eight bytes a line are held to find
        repeated pairs, however many are kept.

    Raises:
        UserError: A file cannot be read, is empty, or has a line that is malformed, is not UTF-8,
            or holds an unfit id, a score that is no finite number or a pair that is there already.
            The message names the file and the line.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    best = BestRows(limit)
    hashes: list[Hashes] = []
    for path in files:
        for rows in scored_rows(path):
            if isinstance(rows, Problem):
                raise UserError(rows.text)
            best.add(rows.query_ids, rows.reference_ids, rows.scores)
            hashes.append(pair_hashes(rows.query_ids, rows.reference_ids))
    if not best.seen:
        raise UserError(f"{', '.join(map(str, files))}: no predictions; expected lines of {HEADER}")
    raise_first(repeated_pairs(files, repeated(np.concatenate(hashes))))
    queries, references, scores = best.rows()
    kept = scores.astype(np.float64, copy=False)
    return Predictions(queries, references, kept, dropped=best.seen - len(kept))
