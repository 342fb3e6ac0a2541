"""All that is wrong with predictions of track 1."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sscd.formats.id_lists import differing_ids
from sscd.formats.problems import Finding, Problem, bounded
from sscd.formats.track1.csv_file import LIMIT
from sscd.formats.track1.lines import scored_rows
from sscd.formats.track1.pair_hashes import Hashes, pair_hashes, repeated, repeated_pairs
from sscd.formats.track2.problems import Lists, read_lists


def problems_of_track1(
    paths: Sequence[Path], query_list: Path | None = None, reference_list: Path | None = None
) -> Iterator[str]:
    """Yield a line for each problem of one file, or of several as one.

    Args:
        paths: CSV files.
        query_list: A list file that holds the ids of all queries.
        reference_list: The same of all references.

    Raises:
        UserError: A file cannot be read.
    """
    yield from bounded(track1_finding(paths, read_lists(query_list, reference_list)))


def track1_finding(paths: Sequence[Path], lists: Lists) -> Finding:
    """Check predictions line by line; ids need not all have a prediction.

    Raises:
        UserError: A file cannot be read.
    """
    hashes: list[Hashes] = [np.empty(0, dtype=np.uint64)]
    queries: set[bytes] = set()
    references: set[bytes] = set()
    whole = True
    for path in paths:
        for rows in scored_rows(path):
            if isinstance(rows, Problem):
                whole = False
                yield rows
                continue
            hashes.append(pair_hashes(rows.query_ids, rows.reference_ids))
            queries.update(rows.query_ids.tolist())
            references.update(rows.reference_ids.tolist())
    every = np.concatenate(hashes)
    yield from repeated_pairs(paths, repeated(every))
    name = paths[0]
    if len(every) > LIMIT:
        text = f"{name}: {len(every):,} predictions; track 1 takes at most {LIMIT:,}"
        yield Problem("too many lines", f"{text}; keep the best")
    elif not len(every) and whole:
        yield Problem("empty files", f"{name}: holds no predictions")
    for column, ids, listed in (
        ("query_id", queries, lists.get("query")),
        ("reference_id", references, lists.get("reference")),
    ):
        yield from differing_ids(name, column, ids, listed, may_lack=True)
    counts = f"{len(queries):,} queries and {len(references):,} references"
    return (f"{len(every):,} predictions of {counts}",)
