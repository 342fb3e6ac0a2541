"""`edits`: which edits still defeat a row, by operation and in pictures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from benchmarks.recipes.comparing import KINDS, Kind
from benchmarks.recipes.lab import Benchmark, Lab, write_json
from benchmarks.recipes.results import (
    Outcome,
    chosen_ways,
    evaluation_file,
    name_of,
    outcome_file,
    read_outcome,
)
from benchmarks.recipes.running import LAB
from sscd.errors import UserError, meant
from sscd.evaluation.by_edit import EditBreakdown, figures_by_edit
from sscd.evaluation.judged import Judged
from sscd.files import atomic_path
from sscd.formats.evaluation_file import read_evaluations
from sscd.report.contact_sheet import write_contact_sheet
from sscd.report.evaluation_tables import edits_table
from sscd.terminal import Result

_SHOWN, _PAIRS = 6, 8


def edits(
    row: str, lab: Path = LAB, test: bool = False, seed: int = 0, kind: Kind = "normalised"
) -> Result:
    """Show what a row still misses, as Markdown, JSON and a sheet of missed copies.

    A copy is missed where its pair stands below the threshold for 90 % precision.

    Args:
        row: A row that was judged, or a system such as `GIST, PCA 256`.
        lab: A directory that `prepare` has made.
        test: Of the test benchmark; by default of development.
        seed: Of its training.
        kind: Without or with score normalisation.
    """
    if kind not in KINDS:
        raise UserError(f"--kind {kind}: give plain or normalised")
    place = Lab(lab.absolute())
    benchmark: Benchmark = "test" if test else "development"
    outcome = _outcome(place, benchmark, row, seed)
    chosen = chosen_ways(place).get(outcome.row)
    if chosen is None:
        raise UserError(f"{row} has no result on development, where all is chosen; judge it there")
    file = evaluation_file(place, benchmark, outcome.name, chosen[kind])
    judged = next(one for one in read_evaluations(file) if one.evaluation.kind == "neighbours")
    if judged.edits is None:
        raise UserError(f"{file} holds no edits; delete it and judge the row again")
    breakdown = figures_by_edit(judged.evaluation.candidates, judged.edits)
    output = place.results(benchmark) / "edits" / f"{outcome.name}-{kind}"
    write_json(
        output / "edits.json",
        {"row": outcome.row, "seed": outcome.seed, "kind": kind} | breakdown.as_json(),
    )
    with atomic_path(output / "edits.md") as temporary:
        temporary.write_text(markdown(breakdown), encoding="utf-8")
    records = _records(place.edits(benchmark))
    groups = _missed_by_edit(judged, breakdown, records)
    write_contact_sheet(output / "missed.jpg", groups, out=place.path / benchmark, pairs=_PAIRS)
    values = {"output": str(output), "missed": {name: len(of) for name, of in groups.items()}}
    shown: list[RenderableType] = [
        edits_table(breakdown),
        f"{output}: edits.md, edits.json, missed.jpg",
    ]
    return Result({**values, **breakdown.as_json()}, shown)


def markdown(breakdown: EditBreakdown) -> str:
    """Figures by edit as Markdown, the least survived first."""
    heads = ("edit", "copies", "μAP", "recall at P90", "recall at rank 1")
    lines = [heads, ("---", *("---:",) * (len(heads) - 1))]
    counts = [(f"{one.name} in all", one) for one in breakdown.counts]
    for name, group in [*((one.name, one) for one in breakdown.operations), *counts]:
        figures = (group.micro_ap, group.recall_at_p90, group.recall_at_1)
        lines.append((name, str(group.copies), *(f"{figure:.3f}" for figure in figures)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def missed_queries(judged: Judged, *, threshold: float) -> set[str]:
    """The copies of which no right pair is in the list at or above a threshold."""
    candidates = judged.evaluation.candidates
    found = candidates.query[candidates.correct & (candidates.scores >= threshold)]
    hit = {candidates.query_ids[row] for row in found.tolist()}
    return {query for query, _ in judged.truth.pairs} - hit


def _missed_by_edit(
    judged: Judged, breakdown: EditBreakdown, records: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Records of missed copies under each of the least survived operations."""
    missed = missed_queries(judged, threshold=breakdown.threshold_at_p90)
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for group in breakdown.operations:
        of = [records[one] for one in sorted(missed) if group.name in _names(records[one])]
        if of and len(groups) < _SHOWN:
            title = f"{group.name}: {len(of)} of {group.copies} copies are missed"
            groups[title] = of
    return groups or {"no copy is missed": []}


def _names(record: Mapping[str, Any]) -> list[str]:
    return [edit["name"] for edit in record["edits"]]


def _records(path: Path) -> dict[str, Mapping[str, Any]]:
    lines: Sequence[str] = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    return {record["query_id"]: record for record in records}


def _outcome(lab: Lab, benchmark: Benchmark, row: str, seed: int) -> Outcome:
    for name in (name_of(row, seed), name_of(row, None)):
        file = outcome_file(lab, benchmark, name)
        if file.is_file():
            return read_outcome(file)
    there = sorted(path.stem for path in lab.results(benchmark).glob("*.json"))
    listed = meant(name_of(row, seed), there) or f"; there are {', '.join(there) or 'none'}"
    raise UserError(f"{row}, seed {seed} was not judged on {benchmark}{listed}")
