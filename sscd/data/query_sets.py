"""Validation queries made from one's own pictures: edited copies, and edited distractors."""

import functools
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sscd.augment.edits.chain import EditTable
from sscd.augment.edits.table import load_table
from sscd.augment.seeds import view_rng
from sscd.data.decode import UnreadableImage
from sscd.data.disc21 import EDITS_FILE, GROUND_TRUTH_FILES, QUERY_DIRECTORIES
from sscd.data.edited_copies import plain_json, recorded_edits, write_copy
from sscd.data.ground_truth import GroundTruth, read_ground_truth, write_ground_truth
from sscd.data.parallel import parallel_map
from sscd.data.records import ImageSet
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError
from sscd.files import atomic_path

# Part of every request: raise it when the edits change, so that no older set is taken for one.
EDITS_VERSION = 2
# The table of edits, one to three operations, that figures on plain folders are measured with.
_TABLE = "validation"

QUERY_DIRECTORY = QUERY_DIRECTORIES["dev"][0]
TRUTH_FILE = GROUND_TRUTH_FILES["dev"][0]


@dataclass(frozen=True)
class _Query:
    query_id: str
    source: Path
    source_id: str
    reference_id: str  # empty for a distractor
    stamp: tuple[int, int]  # size and time of change of the source

    @property
    def file(self) -> str:
        return f"{self.query_id}.jpg"


def render_queries(
    references: ImageSet,
    distractor_sources: ImageSet,
    *,
    copies: int,
    distractors: int,
    seed: int,
    out: Path,
    workers: int = 1,
    max_side: int = 1024,
) -> tuple[ImageSet, GroundTruth]:
    """Edit some references and some other pictures to a set of queries, once.

    The set lies in a directory of `out` that is named by a hash of the request (the pictures
    chosen with their size and time of change, the seed, the size limit), is there whole or not at
    all, and is read back when it is asked for again:

        queries-<hash>/dev_queries/Q00000.jpg      JPEG, quality 95, 4:4:4
        queries-<hash>/dev_queries_groundtruth.csv
        queries-<hash>/edits.jsonl                 query id, source id, edits with parameters

    Which pictures are chosen, and how each is edited, follows from their names and the seed, not
    from the number of workers nor, as far as it can, from the other pictures.

    Args:
        references: The pictures that are searched.
        distractor_sources: Pictures that are not among them.
        copies: How many references are edited.
        distractors: How many distractor sources are edited.
        seed: Of choice and edits.
        out: Where sets of queries are kept.
        workers: How many processes render.
        max_side: Longer pictures are shrunk to this long side, in pixels, before they are edited.

    Returns:
        The queries, and a ground truth that lists them all.

    Raises:
        UserError: There are fewer pictures than asked for, one cannot be read, or `out` cannot be
            written.
        ValueError: A number is out of range.
    """
    if copies < 0 or distractors < 0 or copies + distractors < 1 or max_side < 1:
        raise ValueError(
            f"got {copies} copies, {distractors} distractors, max_side {max_side}; "
            "expected one query and one pixel at least"
        )
    queries = _plan(references, distractor_sources, (copies, distractors), seed)
    directory = out / f"queries-{_fingerprint(queries, seed=seed, max_side=max_side)}"
    if not directory.is_dir():
        _render_set(queries, directory, seed=seed, workers=workers, max_side=max_side)
    images = ImageSet.from_names(
        "queries", root=directory / QUERY_DIRECTORY, names=(query.file for query in queries)
    )
    return images, read_ground_truth(directory / TRUTH_FILE)


def _plan(
    references: ImageSet, distractor_sources: ImageSet, counts: tuple[int, int], seed: int
) -> list[_Query]:
    """Choose the sources by stable hashes, then mix copies and distractors by another."""
    sources = [
        (images, index, kind)
        for images, count, kind in (
            (references, counts[0], "copies"),
            (distractor_sources, counts[1], "distractors"),
        )
        for index in _choose(images, count, salt=f"{kind}/{seed}", kind=kind)
    ]
    names = [f"{kind}/{images.id(index)}".encode() for images, index, kind in sources]
    order = np.argsort(stable_fractions(names, salt=f"order/{seed}"), kind="stable")
    return [
        _Query(
            query_id=f"Q{number:05d}",
            source=images.path(index),
            source_id=images.id(index),
            reference_id=images.id(index) if kind == "copies" else "",
            stamp=_stamp(images.path(index)),
        )
        for number, (images, index, kind) in enumerate(sources[i] for i in order.tolist())
    ]


def _choose(images: ImageSet, count: int, *, salt: str, kind: str) -> Iterator[int]:
    if count > len(images):
        raise UserError(
            f"{images.root} gives {len(images)} {images.name}, fewer than the {count} {kind} "
            f"asked for; ask for fewer {kind} or add pictures"
        )
    order = np.argsort(stable_fractions(images.names.tolist(), salt=salt), kind="stable")
    yield from order[:count].tolist()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; put it back or run again"
        ) from error
    return status.st_size, status.st_mtime_ns


def _fingerprint(queries: list[_Query], *, seed: int, max_side: int) -> str:
    rows = [(q.query_id, q.source_id, q.reference_id, q.stamp) for q in queries]
    request = json.dumps([EDITS_VERSION, seed, max_side, rows])
    return hashlib.blake2b(request.encode(), digest_size=8).hexdigest()


def _render_set(
    queries: list[_Query], directory: Path, *, seed: int, workers: int, max_side: int
) -> None:
    """Render into a directory beside the final one, then rename."""
    truth = GroundTruth(
        pairs=frozenset((q.query_id, q.reference_id) for q in queries if q.reference_id),
        listed=frozenset(q.query_id for q in queries),
    )
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".rendering-") as name:
            built = Path(name) / "set"
            pictures = built / QUERY_DIRECTORY
            pictures.mkdir(parents=True)
            render = functools.partial(
                _render,
                folder=pictures,
                table=load_table(_TABLE),
                seed=seed,
                max_side=max_side,
            )
            edits = parallel_map(render, queries, workers=workers, description="editing queries")
            with atomic_path(built / EDITS_FILE) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in edits), encoding="utf-8")
            write_ground_truth(built / TRUTH_FILE, truth)
            try:
                built.rename(directory)
            except OSError:
                if not directory.is_dir():  # else another process was faster, with an equal set
                    raise
    except UnreadableImage as error:
        raise UserError(f"cannot edit {error}; mend or remove it and run again") from error
    except OSError as error:
        raise UserError(
            f"cannot write {directory}: {error.strerror or error}; "
            "choose a directory that can be written and has space"
        ) from error


def _render(query: _Query, *, folder: Path, table: EditTable, seed: int, max_side: int) -> str:
    """Write one query; return its line of edits.jsonl."""
    view = 0 if query.reference_id else 1
    rng = view_rng(seed=seed, epoch=0, image_id=query.source_id, view=view)
    edited = write_copy(query.source, folder / query.file, table=table, rng=rng, read_side=max_side)
    record = {
        "query_id": query.query_id,
        "source_id": query.source_id,
        "reference_id": query.reference_id,
        "edits": recorded_edits(edited),
    }
    return json.dumps(record, default=plain_json)
