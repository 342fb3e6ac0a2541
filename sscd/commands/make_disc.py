"""`sscd make-disc`: a benchmark in DISC21's layout from any folder of photographs."""

import os
from pathlib import Path
from typing import Any

from sscd.commands.benchmark_result import finished_before, made_now
from sscd.data.benchmark.copying import copy_pictures
from sscd.data.benchmark.editing import edit_queries
from sscd.data.benchmark.extras import ExtraPictures
from sscd.data.benchmark.journal import MARKER, Journal
from sscd.data.benchmark.lists import Record, check_sources, summarise, write_lists
from sscd.data.benchmark.plan import SPLITS, Plan, plan_benchmark
from sscd.data.benchmark.pool import Pool, find_pool
from sscd.data.benchmark.provenance import describe_left_out, describe_request, versions
from sscd.data.benchmark.request import BenchmarkRequest
from sscd.data.benchmark.tables import AIR_GAP, BY_HAND, Tables, load_tables, settle_shares
from sscd.data.benchmark.whole import CONTACT_SHEET, files_of
from sscd.data.checksums import write_checksums
from sscd.data.folder import NEAR_DUPLICATE_DISTANCE
from sscd.data.listing import Listing, scan_images
from sscd.data.skipped import SkipLog
from sscd.data.sources import cache_directory
from sscd.errors import UserError
from sscd.files import check_writable_directory
from sscd.report.contact_sheet import write_contact_sheet
from sscd.terminal import Result, remark, warn

_NAMED = 3
_PHASES = {"dev": "Phase I (dev)", "test": "Phase II (test)"}


def make_disc(
    photos: Path,
    out: Path,
    references: int = 2000,
    queries: int = 500,
    distractors: int = 500,
    training: int | None = None,
    extras: int | None = None,
    seed: int = 0,
    dev_edits: str = "phase1",
    test_edits: str = "phase2",
    by_hand: float = 0.2,
    air_gap: float = 0.1,
    leave_out: str | tuple[str, ...] = (),
    max_side: int = 1024,
    workers: int | None = None,
    near_duplicate_distance: int = NEAR_DUPLICATE_DISTANCE,
    cache: Path | None = None,
) -> Result:
    """Make a benchmark in DISC21's layout from any folder of photographs.

    Args:
        photos: The folder; it is only read.
        out: The directory to make. Interrupted, or after files were lost, the same command goes on.
        references: Pictures that are searched.
        queries: Edited copies of references in each of the two phases.
        distractors: Edited pictures in each phase that are no references.
        training: Pictures to learn from; by default all that are left.
        extras: Pictures that edits lay under and beside others; by default up to 200.
        seed: Of the choice of pictures and of the edits.
        dev_edits: Edits of phase I: the name of a table that comes with sscd, or a YAML file.
        test_edits: Edits of phase II.
        by_hand: Share of the queries of both phases with edits as made by hand instead.
        air_gap: Share of the test queries that are displayed and photographed again instead.
        leave_out: Operations to switch off, as in `blur,crop`.
        max_side: Longest side of a picture, in pixels; longer ones are shrunk.
        workers: Processes; by default one for each processor.
        near_duplicate_distance: Bits of 64 in which near-copies, of which one is kept, may differ.
        cache: Where perceptual hashes are kept; by default `sscd` in `~/.cache`.
    """
    request = BenchmarkRequest(
        references=references,
        queries=queries,
        distractors=distractors,
        training=training,
        extras=extras,
        seed=seed,
        dev_edits=dev_edits,
        test_edits=test_edits,
        by_hand=by_hand,
        air_gap=air_gap,
        leave_out=_names(leave_out),
        max_side=max_side,
        near_duplicate_distance=near_duplicate_distance,
    )
    return _begin(request, photos=photos, out=out, workers=workers, cache=cache_directory(cache))


def _names(given: str | tuple[str, ...]) -> tuple[str, ...]:
    names = given.split(",") if isinstance(given, str) else given
    return tuple(sorted({name.strip() for name in names} - {""}))


def _begin(
    request: BenchmarkRequest, *, photos: Path, out: Path, workers: int | None, cache: Path
) -> Result:
    request.check()
    if workers is not None and workers < 0:
        raise UserError(f"--workers {workers}: give 0 or more")
    _check_apart(photos, out)
    processes = _processors() if workers is None else workers
    try:
        return _make(request, photos=photos, out=out, workers=processes, cache=cache)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt("the same command goes on where it stopped") from interrupt


def _make(
    request: BenchmarkRequest, *, photos: Path, out: Path, workers: int, cache: Path
) -> Result:
    tables = load_tables(request)
    request = _settle_shares(request, tables)
    listing = scan_images(photos, name="photos")
    asked, exactly = describe_request(request, tables, listing.images)
    journal = Journal(out, photos=photos)
    if journal.is_finished(asked):  # without the lock: nothing may be writable
        return finished_before(out)
    journal.check(exactly)
    check_writable_directory(out)
    with journal.locked():
        if journal.is_finished(asked):  # by a process that held the lock until now
            return finished_before(out)
        pool = find_pool(listing, request, cache=cache, workers=workers)
        _warn(listing, pool)
        request = request.settled(len(pool.images))
        plan = plan_benchmark(pool.images, request)
        check_sources(plan, out=out, photos=photos)
        journal.begin(exactly)
        made = _write(plan, request, tables, journal=journal, workers=workers)
        journal.finish(
            {
                "folder": photos.resolve().name,
                "request": asked,
                "made": made,
                "left_out": describe_left_out(listing, pool, used=sum(request.parts.values())),
                "versions": versions(),
            }
        )
    return made_now(out, request, pool, {split: made[split] for split in SPLITS})


def _settle_shares(request: BenchmarkRequest, tables: Tables) -> BenchmarkRequest:
    settled = settle_shares(request, tables)
    for name in (BY_HAND, AIR_GAP):
        if getattr(settled, name) != getattr(request, name):
            remark(f"--leave_out switches off all of table {name}; it edits no query")
    return settled


def _write(
    plan: Plan, request: BenchmarkRequest, tables: Tables, *, journal: Journal, workers: int
) -> dict[str, Any]:
    """Write what is missing; returns what was made."""
    photos, out = journal.photos, journal.out
    if lost := journal.lost():
        named = ", ".join(lost[:_NAMED]) + (", …" if len(lost) > _NAMED else "")
        remark(f"{out} lost {len(lost):,} of its files ({named}); they are made again")
    counts = copy_pictures(
        plan.pictures, root=photos, out=out, max_side=request.max_side, workers=workers
    )
    records = edit_queries(
        plan.queries,
        root=photos,
        journal=journal,
        tables=tables,
        extras=ExtraPictures(photos, plan.extras, max_side=request.max_side),
        seed=request.seed,
        max_side=request.max_side,
        workers=workers,
    )
    write_lists(plan, records, out=out)
    _draw_sheet(records, out)
    write_checksums(out, files_of(plan), workers=workers)
    return {
        "references": request.references,
        "training": request.training,
        "copied byte for byte": counts.copied,
        "encoded anew": counts.encoded,
        **{split: summarise(records, split) for split in SPLITS},
    }


def _check_apart(photos: Path, out: Path) -> None:
    source, target = photos.resolve(), out.resolve()
    if source.is_relative_to(target) or target.is_relative_to(source):
        raise UserError(f"{out} and {photos} lie within one another; give a directory elsewhere")


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _warn(listing: Listing, pool: Pool) -> None:
    for line in listing.left_out:
        warn(line)
    skipped = SkipLog()
    for path, reason in pool.unreadable:
        skipped.add(path, reason)
    if skipped:
        warn(skipped.summary(file=MARKER))


def _draw_sheet(records: list[dict[str, Any]], out: Path) -> None:
    groups: dict[str, list[Record]] = {
        f"{title}: references beside their copies": [
            record
            for record in sorted(records, key=lambda record: record["table"])  # each has its share
            if record["split"] == split and record["reference_id"]
        ]
        for split, title in _PHASES.items()
    }
    write_contact_sheet(out / CONTACT_SHEET, groups, out=out)
