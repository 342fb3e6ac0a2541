"""What `sscd make-disc` says of the benchmark that it has made."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sscd.data.benchmark.journal import MARKER
from sscd.data.benchmark.pool import Pool
from sscd.data.benchmark.request import BenchmarkRequest
from sscd.data.benchmark.whole import CONTACT_SHEET
from sscd.terminal import Result


def finished_before(out: Path) -> Result:
    """The result of a call that found the benchmark complete.

    Args:
        out: Its directory.
    """
    return Result(
        _files(out) | {"finished_before": True},
        [f"{out} is complete already; nothing was done"],
        remarks=[_next(out)],
    )


def made_now(
    out: Path, request: BenchmarkRequest, pool: Pool, phases: Mapping[str, Mapping[str, Any]]
) -> Result:
    """The result of a call that made the benchmark.

    Args:
        out: Its directory.
        request: With all numbers settled.
        pool: The pictures that it was made of, and those that were left out.
        phases: Split → what was made of it.
    """
    dropped = {split: sum(phase["dropped"].values()) for split, phase in phases.items()}
    surviving = {split: phase["mean_surviving_area"] for split, phase in phases.items()}
    values = _files(out) | {
        "finished_before": False,
        "references": request.references,
        "training": request.training,
        "queries": request.queries,
        "distractors": request.distractors,
        "found": pool.found,
        "near_copies": pool.near_copies,
        "blank": pool.blank,
        "unreadable": len(pool.unreadable),
        "mean_surviving_area": surviving,
        "dropped_operations": dropped,
    }
    areas = ", ".join(f"{area:.0%} in {split}" for split, area in surviving.items())
    lines = [
        f"{out}: {request.references:,} references, {request.training:,} training pictures, and "
        f"in each phase {request.queries:,} copies and {request.distractors:,} distractors",
        f"of {pool.found:,} pictures {pool.near_copies:,} near-copies and mirror images were left "
        f"out, {pool.blank:,} that are too small or of one colour, and {len(pool.unreadable):,} "
        "that cannot be read",
        f"of its source a copy shows on average {areas}; {sum(dropped.values()):,} operations "
        "would have erased it and were dropped",
    ]
    look = f"look at {out / CONTACT_SHEET}; every edit is in {out / 'edits.jsonl'}"
    return Result(values, lines, remarks=[look, _next(out)])


def _files(out: Path) -> dict[str, Any]:
    return {
        "output": str(out),
        "summary": str(out / MARKER),
        "edits": str(out / "edits.jsonl"),
        "contact_sheet": str(out / CONTACT_SHEET),
    }


def _next(out: Path) -> str:
    root = shlex.quote(str(out))
    return f"next: sscd train --config photos --data.root {root} --data.layout disc21"
