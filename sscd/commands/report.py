"""`sscd report`: what was found, right and wrong, as one HTML page."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from rich.console import RenderableType

from sscd.commands.judging import watched_contents
from sscd.commands.training_settings import training_settings
from sscd.errors import UserError
from sscd.evaluation.edit_records import read_edits
from sscd.evaluation.judged import Judged
from sscd.evaluation.protocol import ListKind
from sscd.extras import require
from sscd.files import check_not_input, check_output_place
from sscd.formats.evaluation_file import read_evaluations
from sscd.report.comparison import comparison_table, counts
from sscd.report.contents import Contents
from sscd.report.page.build import PageFacts, write_contents
from sscd.terminal import Result, current_mode, warn

FILE = "evaluation.h5"
"""What a run directory keeps of its judgement."""

_FEWEST_SAMPLES = 20
ProtocolChoice = Literal["auto", "neighbours", "global", "predictions"]


def report(
    runs: list[Path],
    output: Path | None = None,
    protocol: ProtocolChoice = "auto",
    pairs: int = 2000,
    samples: int = 1000,
    queries: str | None = None,
    references: str | None = None,
    edits: Path | None = None,
    names: list[str] | None = None,
) -> Result:
    """Write one HTML page of one or more judged systems: pictures, figures, curves, thresholds.

    Args:
        runs: Run directories with an evaluation.h5, or such files, as `sscd evaluate --output`
            writes them. The others are compared with the first.
        output: The page, also -o; by default report.html, and with --json none.
        protocol: Which list of candidates; by default 10 neighbours a query where all have it, else
            what all have.
        pairs: Queries on the page, at most.
        samples: Resamples of the bootstrap intervals; 0 for none.
        queries: Pictures of the queries, in place of those that the evaluations name: a folder, a
            list, shards or Parquet.
        references: Pictures of the references, likewise.
        edits: An edits.jsonl of the queries, in place of the edits that the evaluations hold.
        names: What the systems are called, one name a run.
    """
    if pairs < 1:
        raise UserError(f"--pairs {pairs}: give at least 1")
    if samples < 0 or 0 < samples < _FEWEST_SAMPLES:
        raise UserError(f"--samples {samples}: give 0 for none, or at least {_FEWEST_SAMPLES}")
    page = _page_path(output)
    if page is not None:
        check_not_input(page, [*map(_file_of, runs), *([edits] if edits is not None else [])])
    systems = _told_apart(_read(runs, protocol), runs, names)
    overridden: dict[str, Any] = {
        "query_pictures": queries,
        "reference_pictures": references,
        "edits": None if edits is None else read_edits(edits),
    }
    given = {key: value for key, value in overridden.items() if value is not None}
    systems = [
        replace(judged, facts={**judged.facts, **training_settings(run)}, **given)
        for judged, run in zip(systems, runs, strict=True)
    ]
    contents = watched_contents(systems, pairs=pairs, samples=samples)
    # An evaluation may come from elsewhere: what it names is not fetched from a network unasked.
    trusted = frozenset(place for place in (queries, references) if place is not None)
    facts = None if page is None else write_contents(page, contents, trusted=trusted)
    for line in (contents.mixed, *(() if facts is None else facts.warnings)):
        if line:
            warn(line)
    return _result(contents, page, facts)


def _page_path(output: Path | None) -> Path | None:
    """Where the page is to stand; None for no page. It is found out before the work."""
    if output is None and current_mode().json:
        return None
    path = output or Path("report.html")
    if path.is_dir():
        raise UserError(f"{path} is a directory; give a file, such as {path / 'report.html'}")
    require("jinja2", "plotly")
    check_output_place(path)
    return path


def _read(runs: Sequence[Path], protocol: ProtocolChoice) -> list[Judged]:
    """One list of candidates of each run, of the same kind."""
    files = [_file_of(run) for run in runs]
    lists = [{one.evaluation.kind: one for one in _evaluations(file)} for file in files]
    kinds: tuple[ListKind, ...] = get_args(ListKind)
    shared = [kind for kind in kinds if all(kind in of_run for of_run in lists)]
    if protocol == "auto":
        if not shared:
            held = "; ".join(
                f"{file}: {', '.join(of_run)}" for file, of_run in zip(files, lists, strict=True)
            )
            raise UserError(f"the runs share no protocol ({held}); judge them by the same one")
        return [of_run[shared[0]] for of_run in lists]
    for file, of_run in zip(files, lists, strict=True):
        if protocol not in of_run:
            raise UserError(
                f"--protocol {protocol}: {file} was not judged by it, but by {', '.join(of_run)}; "
                "choose what all runs have, or judge again"
            )
    return [of_run[protocol] for of_run in lists]


def _evaluations(file: Path) -> tuple[Judged, ...]:
    evaluations = read_evaluations(file)
    for judged in evaluations:
        if not len(judged.evaluation.candidates.scores):
            raise UserError(f"{file}: its list {judged.evaluation.kind!r} is empty; judge again")
    return evaluations


def _file_of(run: Path) -> Path:
    if not run.exists():
        raise UserError(
            f"{run}: no such file or directory; give a run directory, or an evaluation file, as "
            "`sscd evaluate --output` writes"
        )
    if not run.is_dir():
        return run
    if not (run / FILE).is_file():
        raise UserError(
            f"{run} holds no {FILE}; make one: `sscd evaluate {run}/track2.h5 --ground_truth "
            f"TRUTH.csv --output {run / FILE}`"
        )
    return run / FILE


def _told_apart(
    systems: Sequence[Judged], runs: Sequence[Path], names: Sequence[str] | None
) -> list[Judged]:
    """The systems with names unlike one another: as given, or with the directory they lie in."""
    if names is not None:
        if len(names) != len(runs):
            raise UserError(f"--names gives {len(names)} for {len(runs)} runs; give one a run")
        if len(set(names)) != len(names):
            raise UserError("--names repeats a name; give each run its own")
        return [replace(one, system=name) for one, name in zip(systems, names, strict=True)]
    plain = [judged.system for judged in systems]
    files = [_file_of(run).resolve() for run in runs]
    for places in ([file.parent.name for file in files], [str(file) for file in files]):
        told = [
            f"{name} ({place})" if plain.count(name) > 1 else name
            for name, place in zip(plain, places, strict=True)
        ]
        if len(set(told)) == len(told):
            return [replace(one, system=name) for one, name in zip(systems, told, strict=True)]
    raise UserError("a run is given twice; give each run once, or name them by --names")


def _result(contents: Contents, page: Path | None, facts: PageFacts | None) -> Result:
    values = contents.as_json()
    shown: list[RenderableType] = []
    for system in contents.systems:
        figures, interval = system.report.figures, system.report.micro_ap_interval
        data = f"; {system.report.data}: {counts(system.report)}" if contents.mixed else ""
        spread = f" ({interval.low:.4f} to {interval.high:.4f})" if interval else ""
        shown.append(
            f"{system.report.system}: micro-AP {figures.micro_ap:.4f}{spread}, recall at P90 "
            f"{figures.recall_at_p90:.4f} ({figures.protocol}{data})"
        )
    if len(contents.systems) > 1:
        shown.append(comparison_table(contents))
    if page is not None and facts is not None:
        values["page"] = str(page)
        shown.append(
            f"{page}: {len(contents.systems[0].examples):,} queries, {facts.pictures:,} pictures, "
            f"{facts.size / 1e6:.1f} MB"
        )
    return Result(values=values, shown=shown)
