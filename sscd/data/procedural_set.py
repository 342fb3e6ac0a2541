"""A whole collection of procedural pictures, drawn once and kept in DISC21's layout."""

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.data.disc21 import EDITS_FILE, read_disc21
from sscd.data.parallel import parallel_map
from sscd.data.procedural import draw_picture
from sscd.data.query_sets import (
    EDITS_VERSION,
    QUERY_DIRECTORY,
    TRUTH_FILE,
    render_queries,
)
from sscd.data.records import Collection, ImageSet
from sscd.errors import UserError

# Part of the directory's name: raise it when the pictures change.
DRAWING_VERSION = 1

_SOURCES = ".distractor_sources"


@dataclass(frozen=True)
class _Drawing:
    path: Path
    index: int


def procedural_collection(
    cache: Path,
    *,
    seed: int,
    size: int,
    training: int,
    references: int,
    distractors: int,
    copies: int,
    workers: int = 1,
) -> Collection:
    """Draw a collection of procedural pictures, or open the one in the cache.

    Pictures are kept as JPEG (quality 95, 4:4:4) in DISC21's layout, in a directory of `cache` that
    is named by a hash of the request. Drawing that was interrupted goes on where it stopped.

    Args:
        cache: Where collections are kept.
        seed: Of the pictures and the edits.
        size: Side of the pictures, in pixels.
        training: How many training pictures.
        references: How many references.
        distractors: How many queries are edited pictures that are no references.
        copies: How many queries are edited references, at most `references`.
        workers: How many processes draw.

    Raises:
        UserError: The cache cannot be written.
        ValueError: A number is out of range.
    """
    if min(training, copies, distractors) < 0 or references < max(1, copies) or size < 1:
        raise ValueError(
            f"got {training} training, {references} references, {distractors} distractors, "
            f"{copies} copies of size {size}; expected a reference for each copy, and a pixel"
        )
    request = json.dumps(
        [DRAWING_VERSION, EDITS_VERSION, seed, size, training, references, distractors, copies]
    )
    digest = hashlib.blake2b(request.encode(), digest_size=8).hexdigest()
    root = cache / f"procedural-{digest}"
    parts = {
        "train": ("T", training),
        "references": ("R", references),
        _SOURCES: ("D", distractors),
    }
    try:
        sets = _draw_missing(root, parts, seed=seed, size=size, workers=workers)
        if not (root / QUERY_DIRECTORY).is_dir():
            _render_queries(root, sets, copies=copies, seed=seed, workers=workers)
    except OSError as error:
        raise UserError(
            f"cannot write {root}: {error.strerror or error}; "
            "choose a cache directory that can be written and has space"
        ) from error
    return read_disc21(root)


def _render_queries(
    root: Path, sets: dict[str, ImageSet], *, copies: int, seed: int, workers: int
) -> None:
    with tempfile.TemporaryDirectory(dir=root, prefix=".queries-") as name:
        queries, _ = render_queries(
            sets["references"],
            sets[_SOURCES],
            copies=copies,
            distractors=len(sets[_SOURCES]),
            seed=seed,
            out=Path(name),
            workers=workers,
        )
        _move_queries(queries.root.parent, root)


def _draw_missing(
    root: Path, parts: dict[str, tuple[str, int]], *, seed: int, size: int, workers: int
) -> dict[str, ImageSet]:
    """Draw what is not there; pictures are numbered through all parts, so that none repeats."""
    sets: dict[str, ImageSet] = {}
    waiting: list[_Drawing] = []
    first = 0
    for folder, (letter, count) in parts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        names = [f"{letter}{number:06d}.jpg" for number in range(count)]
        sets[folder] = ImageSet.from_names(folder, root=root / folder, names=names)
        there = set(_finished(root / folder))
        waiting += [
            _Drawing(path=root / folder / name, index=first + number)
            for number, name in enumerate(names)
            if name not in there
        ]
        first += count
    draw = functools.partial(_draw, seed=seed, size=size)
    if waiting:
        for _ in parallel_map(draw, waiting, workers=workers, description="drawing pictures"):
            pass
    return sets


def _finished(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (entry.name for entry in entries if entry.stat().st_size > 0)


def _draw(drawing: _Drawing, *, seed: int, size: int) -> None:
    picture = draw_picture(seed=seed, index=drawing.index, size=size)
    temporary = drawing.path.with_name(f".{drawing.path.name}.{os.getpid()}.part")
    picture.save(temporary, format="JPEG", quality=95, subsampling=0)
    temporary.replace(drawing.path)


def _move_queries(rendered: Path, root: Path) -> None:
    """Bring the rendered queries to their place in DISC21's layout, the pictures last."""
    for name in (EDITS_FILE, TRUTH_FILE):
        (rendered / name).replace(root / name)
    try:
        (rendered / QUERY_DIRECTORY).rename(root / QUERY_DIRECTORY)
    except OSError:
        if not (root / QUERY_DIRECTORY).is_dir():  # else another process drew the same ones
            raise
