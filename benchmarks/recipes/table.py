"""`table`: all rows beside one another, as Markdown, JSON and pictures."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from benchmarks.recipes.comparing import Compared, TableLine, lines_of
from benchmarks.recipes.cost import UNIT_SIZE
from benchmarks.recipes.curves import Curve, write_curves
from benchmarks.recipes.lab import Benchmark, Lab, write_json
from benchmarks.recipes.metrics import validations
from benchmarks.recipes.results import (
    Outcome,
    all_outcomes,
    chosen_ways,
    is_current,
    is_whole,
)
from benchmarks.recipes.row import BASE
from benchmarks.recipes.running import LAB
from sscd.data.ground_truth import read_ground_truth
from sscd.data.listing import scan_images
from sscd.errors import UserError
from sscd.evaluation.bootstrap import Interval
from sscd.files import atomic_path
from sscd.report.systems.picture import write_systems_picture
from sscd.report.systems.rows import Measured, SystemRow, TableFacts
from sscd.terminal import Result, warn, working

_PROTOCOL = "10 neighbours a query"


def table(lab: Path = LAB, test: bool = False, samples: int = 1000) -> Result:
    """Draw the table of what was judged, and the curves of the trainings behind it.

    Intervals are of 95 %, by a bootstrap over queries, paired for differences; over seeds, means
    are compared. What a seed changes is seen from the figures of each.

    Args:
        lab: A directory that `prepare` has made.
        test: Of the test benchmark; by default of development.
        samples: Resamples of the bootstrap.
    """
    place = Lab(lab.absolute())
    budget = place.read_budget()
    benchmark: Benchmark = "test" if test else "development"
    if samples < 1:
        raise UserError(f"--samples {samples}: give at least 1, better 1000")
    chosen = chosen_ways(place)
    outcomes = _current(all_outcomes(place, benchmark), place, benchmark, chosen)
    with working("resampling queries"):
        lines = lines_of(outcomes, lab=place, benchmark=benchmark, samples=samples, chosen=chosen)
    facts = _facts(place, budget, benchmark)
    output = place.results(benchmark) / "table"
    write_json(
        output / "table.json",
        {
            "benchmark": benchmark,
            "data": facts.line,
            "budget": budget["views"]["units"],
            "samples": samples,
            "rows": [line.as_json() for line in lines],
        },
    )
    text = markdown(lines, facts, budget=float(budget["views"]["units"]))
    with atomic_path(output / "table.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    write_systems_picture(output / "table.png", [_system(line) for line in lines], facts)
    curves = _curves(outcomes, place)
    if curves:
        write_curves(output / "curves.png", curves, best=[line.row for line in lines])
    files = [str(path) for path in sorted(output.iterdir())]
    values = {"output": str(output), "files": files, "rows": [line.as_json() for line in lines]}
    return Result(values, [text, f"{output}: {', '.join(Path(one).name for one in files)}"])


def _current(
    outcomes: Sequence[Outcome], lab: Lab, benchmark: Benchmark, chosen: Collection[str]
) -> list[Outcome]:
    """Those that still hold; of the others it is said."""
    kept = []
    for one in outcomes:
        if one.row not in chosen:
            warn(f"{one.name} is left out: its result on development, where all is chosen, is gone")
        elif is_whole(lab, benchmark, one) and is_current(lab, one):
            kept.append(one)
        else:
            warn(f"{one.name} is left out: it has changed since it was judged; judge it again")
    if not any(one.row == BASE for one in kept):
        warn(f"row {BASE} is not among them, so that differences are missing")
    return kept


def markdown(lines: Sequence[TableLine], facts: TableFacts, *, budget: float) -> str:
    """The table as Markdown.

    Args:
        lines: In their order.
        facts: What all were judged on.
        budget: What a training may cost.
    """
    heads = (
        *("row", "what it tries", "μAP", f"Δ {BASE}", "μAP, normalised", f"Δ {BASE}, normalised"),
        *("recall at P90, normalised", "seeds", f"cost, {UNIT_SIZE}-px views", "CPU minutes"),
        "views/s",
    )
    aligned = ["---" if place < 2 else "---:" for place in range(len(heads))]
    rows = [heads, aligned, *(_cells(line) for line in lines)]
    text = [
        f"{facts.line}. In brackets 95 % intervals over queries, of differences paired; a training "
        f"may cost {budget:,.0f} views at {UNIT_SIZE} px.",
        "",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    several = [line for line in lines if len(line.seeds) > 1]
    if several:
        text += [
            "",
            "Each seed, normalised: " + "; ".join(_by_seed(line) for line in several) + ".",
        ]
    return "\n".join(text) + "\n"


def _cells(line: TableLine) -> tuple[str, ...]:
    minutes = None if line.cpu_seconds is None else line.cpu_seconds / 60
    return (
        line.row,
        line.about,
        _interval(line.plain.micro_ap),
        _difference(line.plain),
        _interval(line.normalised.micro_ap),
        _difference(line.normalised),
        f"{line.normalised.recall_at_p90:.3f}",
        str(len(line.seeds)) if line.seeds else "–",
        _number(line.cost),
        _number(minutes),
        _number(line.views_per_second),
    )


def _interval(interval: Interval) -> str:
    return f"{interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _difference(compared: Compared) -> str:
    told = compared.difference
    if told is None:
        return "–"
    return f"{told.estimate:+z.3f} ({told.low:+z.3f} to {told.high:+z.3f})"


def _by_seed(line: TableLine) -> str:
    figures = zip(line.seeds, line.normalised.by_seed, strict=True)
    return f"{line.row} " + ", ".join(f"{figure:.3f} (seed {seed})" for seed, figure in figures)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _facts(lab: Lab, budget: dict[str, Any], benchmark: Benchmark) -> TableFacts:
    truth = read_ground_truth(lab.truth(benchmark))
    counts = budget["pictures"]
    return TableFacts(
        data=benchmark,
        training=counts["training"]["count"],
        references=len(scan_images(lab.references(benchmark), name="references").images),
        queries=len(truth.listed or {query for query, _ in truth.pairs}),
        copies=len(truth.pairs),
        protocol=_PROTOCOL,
    )


def _system(line: TableLine) -> SystemRow:
    """A line as the picture of systems takes it."""
    parts = [line.about, *([f"{len(line.seeds)} seeds"] if len(line.seeds) > 1 else [])]
    return SystemRow(
        system=line.row,
        dims=line.dims,
        plain=_measured(line.plain),
        normalised=_measured(line.normalised),
        norm=line.norm,
        milliseconds=line.milliseconds,
        hardware="of the processor",
        note="; ".join(parts),
        fingerprint="",
        missing_pairs=0,
        measured="",
    )


def _measured(compared: Compared) -> Measured:
    told = compared.micro_ap
    return Measured(told.estimate, told.low, told.high, compared.recall_at_p90)


def _curves(outcomes: Sequence[Outcome], lab: Lab) -> list[Curve]:
    """How validation went in each training, by what it had cost by then."""
    found: dict[Path, Curve] = {}
    for one in outcomes:
        if one.seed is None:
            continue
        training, spent = str(one.asked["training"]), one.facts["cost_by_epoch"]
        run = lab.run(training, one.seed)
        if points := validations(run):
            found[run] = Curve(training, tuple((spent[epoch - 1], ap) for epoch, ap in points))
    return list(found.values())
