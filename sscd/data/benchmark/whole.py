"""Whether a finished benchmark still has all of its files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sscd.data.benchmark.copying import is_written
from sscd.data.benchmark.lists import EDITS_FILE, LIST_FOLDER, SOURCES_FILE
from sscd.data.benchmark.plan import SPLITS, Plan, truth_file
from sscd.data.checksums import CHECKSUMS_FILE
from sscd.data.disc21 import QUERY_DIRECTORIES

CONTACT_SHEET = "contact_sheet.jpg"

_TEXTS = (*map(truth_file, SPLITS), SOURCES_FILE, EDITS_FILE)
_FILES = (*_TEXTS, CONTACT_SHEET, CHECKSUMS_FILE)


def files_of(plan: Plan) -> list[str]:
    """Every file of a benchmark but the checksums and `benchmark.json`, relative to it."""
    parts = dict.fromkeys(picture.part for picture in plan.pictures)
    lists = [*(QUERY_DIRECTORIES[split][0] for split in SPLITS), *parts]
    return [
        *(picture.file for picture in plan.pictures),
        *(query.file for query in plan.queries),
        *(f"{LIST_FOLDER}/{name}" for name in lists),
        *_TEXTS,
        CONTACT_SHEET,
    ]


def missing_files(out: Path, sizes: Mapping[str, int]) -> list[str]:
    """Name the files that a finished benchmark lacks.

    Directories are listed and held against `list_files`; no picture is looked at.

    Args:
        out: The benchmark's directory.
        sizes: Directory → how many pictures were written to it.

    Returns:
        Paths relative to `out`. A list of ids that is gone or cut short is named alone: without it
        nobody knows what else is.
    """
    missing = [name for name in _FILES if not is_written(out / name)]
    for part, size in sizes.items():
        missing += _missing_pictures(out, part, size)
    return missing


def _missing_pictures(out: Path, part: str, size: int) -> Iterator[str]:
    if not size:
        return
    listed = _listed(out / LIST_FOLDER / part)
    if len(set(listed)) != size:
        yield f"{LIST_FOLDER}/{part}"
        return
    there = _names(out / part)
    for image_id in listed:
        if f"{image_id}.jpg" not in there:
            yield f"{part}/{image_id}.jpg"


def _listed(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split()
    except FileNotFoundError:
        return []


def _names(directory: Path) -> set[str]:
    try:
        with os.scandir(directory) as entries:
            return {entry.name for entry in entries}
    except FileNotFoundError:
        return set()
