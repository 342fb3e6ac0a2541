"""Queries: sources edited, written and recorded."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sscd.augment.seeds import view_rng
from sscd.data.benchmark.copying import is_written
from sscd.data.benchmark.extras import ExtraPictures
from sscd.data.benchmark.journal import Journal
from sscd.data.benchmark.plan import SPLITS, PlannedQuery
from sscd.data.benchmark.tables import Tables
from sscd.data.decode import UnreadableImage
from sscd.data.edited_copies import plain_json, recorded_edits, write_copy
from sscd.data.parallel import parallel_map
from sscd.errors import UserError
from sscd.files import atomic_path


def edit_queries(
    queries: Sequence[PlannedQuery],
    *,
    root: Path,
    journal: Journal,
    tables: Tables,
    extras: ExtraPictures,
    seed: int,
    max_side: int,
    workers: int,
) -> list[dict[str, Any]]:
    """Write the queries that are not there yet.

    How a query is edited follows from the seed, its phase and the path of its source.

    Args:
        queries: What to write.
        root: The folder that the sources are relative to.
        journal: Remembers what is finished; its directory is the benchmark's.
        tables: How queries are edited, by the key that they name.
        extras: Pictures that edits may use beside the source.
        seed: Of the edits.
        max_side: Longest side of a source before it is edited, and of a query, in pixels.
        workers: How many processes edit.

    Returns:
        The record of every query, in order: `query_id`, `split`, `source_id` (its path in the
        folder), `reference_id` (empty for a distractor), `table`, `edits` with every parameter,
        `surviving_area`, `share_of_picture`, `visible_contrast`, `dropped` and `size` (width and
        height).

    Raises:
        UserError: A source cannot be read any more, or the benchmark cannot be written.
    """
    out = journal.out
    for folder in {(out / query.file).parent for query in queries}:
        folder.mkdir(parents=True, exist_ok=True)
    lines = journal.records(q.id for q in queries if is_written(out / q.file))
    missing = [query for query in queries if query.id not in lines]
    edit = functools.partial(
        _edit,
        root=root,
        out=out,
        tables=dict(tables),
        extras=extras if extras.names else None,
        seed=seed,
        max_side=max_side,
    )
    with journal.recording() as record:
        edited = parallel_map(edit, missing, workers=workers, description="editing queries")
        for query, line in zip(missing, edited if missing else (), strict=True):
            record(line)
            lines[query.id] = line
    return [json.loads(lines[query.id]) for query in queries]


def _edit(
    query: PlannedQuery,
    *,
    root: Path,
    out: Path,
    tables: Tables,
    extras: ExtraPictures | None,
    seed: int,
    max_side: int,
) -> str:
    """Write one query; returns its record."""
    phase = 1 + SPLITS.index(query.split)
    try:
        with atomic_path(out / query.file) as temporary:
            edited = write_copy(
                root / query.source,
                temporary,
                table=tables[query.table],
                rng=view_rng(seed=seed, epoch=phase, image_id=query.source, view=0),
                read_side=max_side,
                write_side=max_side,
                secondary=extras,
            )
    except UnreadableImage as error:
        raise UserError(f"cannot read {error}; put it back and run again") from error
    record = {
        "query_id": query.id,
        "split": query.split,
        "source_id": query.source,
        "reference_id": query.reference,
        "table": tables[query.table].name,
        "edits": recorded_edits(edited),
        "surviving_area": round(edited.surviving_area, 4),
        "share_of_picture": round(edited.share_of_picture, 4),
        "visible_contrast": round(edited.visible_contrast, 2),
        "dropped": list(edited.dropped),
        "size": list(edited.image.size),
    }
    return json.dumps(record, default=plain_json)
