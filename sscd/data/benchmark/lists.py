"""The text files of a benchmark: ground truth, lists of ids, sources, and every edit."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sscd.data.benchmark.changes import pictures_changed, refusal
from sscd.data.benchmark.plan import SPLITS, Plan, truth_file
from sscd.data.disc21 import QUERY_DIRECTORIES, QuerySplit
from sscd.data.ground_truth import write_ground_truth
from sscd.files import atomic_path

EDITS_FILE = "edits.jsonl"
SOURCES_FILE = "sources.csv"
LIST_FOLDER = "list_files"

Record = Mapping[str, Any]


def write_lists(plan: Plan, records: Sequence[Record], *, out: Path) -> None:
    """Write everything but the pictures, the contact sheet and `benchmark.json`.

    Args:
        plan: The benchmark.
        records: What was done to each query, in order.
        out: The benchmark's directory.

    Raises:
        UserError: A file cannot be written.
    """
    for split in SPLITS:
        write_ground_truth(out / truth_file(split), plan.truth(split))
        queries = (query.id for query in plan.queries if query.split == split)
        _write(out / LIST_FOLDER / QUERY_DIRECTORIES[split][0], _lines(queries))
    for part in ("references", "train"):
        if ids := [picture.id for picture in plan.pictures if picture.part == part]:
            _write(out / LIST_FOLDER / part, _lines(ids))
    _write(out / SOURCES_FILE, _sources(plan))
    _write(out / EDITS_FILE, _lines(json.dumps(record) for record in records))


def check_sources(plan: Plan, *, out: Path, photos: Path) -> None:
    """Find out whether what is in `out` was made by this plan, as far as it has a table of sources.

    Names and sizes of files do not tell: a picture may change and keep its size, and with it which
    pictures are near-copies.

    Raises:
        UserError: It was made by another.
    """
    path = out / SOURCES_FILE
    if path.exists() and path.read_bytes() != _sources(plan).encode(errors="surrogateescape"):
        raise refusal(out, [pictures_changed(photos)], what="lost files and cannot be mended")


def summarise(records: Sequence[Record], split: QuerySplit) -> dict[str, Any]:
    """The figures of one phase.

    Returns:
        Counts of copies, distractors, queries by table and operations left out; the mean surviving
        area of the copies, in [0, 1]; how often each operation was used.
    """
    chosen = [record for record in records if record["split"] == split]
    copies = [record for record in chosen if record["reference_id"]]
    areas = [float(record["surviving_area"]) for record in copies]
    return {
        "copies": len(copies),
        "distractors": len(chosen) - len(copies),
        "tables": _counts(record["table"] for record in chosen),
        "mean_surviving_area": round(sum(areas) / len(areas), 4),
        "operations": _counts(edit["name"] for record in chosen for edit in record["edits"]),
        "dropped": _counts(name for record in chosen for name in record["dropped"]),
    }


def _sources(plan: Plan) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("id", "source"))
    writer.writerows((picture.id, picture.source) for picture in plan.pictures)
    return table.getvalue()


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _lines(rows: Iterable[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def _write(path: Path, text: str) -> None:
    # A file name that is not UTF-8 keeps its bytes.
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
