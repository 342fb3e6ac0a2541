"""Whether a finished benchmark still has all of its files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sscd.data.benchmark.copying import is_written
from sscd.data.benchmark.lists import EDITS_FILE, LIST_FOLDER, SOURCES_FILE
from sscd.data.benchmark.plan import SPLITS, truth_file

CONTACT_SHEET = "contact_sheet.jpg"

_FILES = (*map(truth_file, SPLITS), SOURCES_FILE, EDITS_FILE, CONTACT_SHEET)


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
