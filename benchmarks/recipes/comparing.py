"""The lines of the table: rows over their seeds, with intervals and what sets them apart."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.results import Outcome, evaluation_file, outcome_file
from benchmarks.recipes.row import BASE
from sscd.errors import UserError
from sscd.evaluation.bootstrap import Interval, mean_difference
from sscd.evaluation.candidates import Candidates
from sscd.formats.evaluation_file import read_evaluations

Kind = Literal["plain", "normalised"]
KINDS: tuple[Kind, ...] = ("plain", "normalised")


@dataclass(frozen=True)
class Compared:
    """A row's micro-AP, without or with score normalisation.

    Attributes:
        micro_ap: Mean over seeds, with its 95 % interval over queries.
        by_seed: Of each seed, in their order.
        way: In which descriptors are judged, the row's best by the mean over seeds on development.
        recall_at_p90: Mean over seeds.
        global_micro_ap: Mean over seeds by the challenge's protocol.
        difference: From the published row, on the same queries; None for that row itself, or where
            it is not judged.
        base_seeds: Of the published row's trainings that it is the difference from: the same ones
            where a row describes these otherwise, else all.
    """

    micro_ap: Interval
    by_seed: tuple[float, ...]
    way: str
    recall_at_p90: float
    global_micro_ap: float
    difference: Interval | None
    base_seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class TableLine:
    """A row of the table.

    Attributes:
        row: Its name.
        about: One line of it.
        seeds: Of its trainings; empty where nothing is trained.
        plain: Without score normalisation.
        normalised: With it.
        cost: Of a training, in the budget's units; None where nothing is trained.
        cpu_seconds: Of a training, on average; None where it is not known.
        views_per_second: Likewise.
        milliseconds: Of the processor, from a picture's file to its descriptor; None likewise.
        dims: Of the network's descriptors.
        norm: Score normalisation, as in `1.0[0,2]`.
    """

    row: str
    about: str
    seeds: tuple[int, ...]
    plain: Compared
    normalised: Compared
    cost: float | None
    cpu_seconds: float | None
    views_per_second: float | None
    milliseconds: float | None
    dims: int
    norm: str

    def of(self, kind: Kind) -> Compared:
        """Without or with score normalisation."""
        return self.plain if kind == "plain" else self.normalised

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def lines_of(
    outcomes: Sequence[Outcome],
    *,
    lab: Lab,
    benchmark: Benchmark,
    samples: int,
    chosen: Mapping[str, Mapping[str, str]],
) -> list[TableLine]:
    """The table's lines, the best normalised micro-AP first.

    Args:
        outcomes: Of one benchmark.
        lab: Where their evaluations lie.
        benchmark: Which one.
        samples: Resamples of the intervals.
        chosen: Row → kind → way, of `chosen_ways`.

    Raises:
        UserError: An evaluation cannot be read, or is of other queries.
    """
    rows: dict[str, list[Outcome]] = {}
    for one in outcomes:
        rows.setdefault(one.row, []).append(one)
    for group in rows.values():
        group.sort(key=lambda one: -1 if one.seed is None else one.seed)
    base = _At(rows.get(BASE, []), chosen.get(BASE, {}))
    found = []
    for name, group in rows.items():
        compared = {
            kind: _compared(kind, _At(group, chosen[name]), base, lab, benchmark, samples)
            for kind in KINDS
        }
        first = group[0]
        found.append(
            TableLine(
                row=name,
                about=first.about,
                seeds=tuple(one.seed for one in group if one.seed is not None),
                plain=compared["plain"],
                normalised=compared["normalised"],
                cost=first.cost,
                cpu_seconds=_mean(group, "cpu_seconds"),
                views_per_second=_mean(group, "views_per_second"),
                milliseconds=_mean(group, "milliseconds_a_picture"),
                dims=int(first.facts["dims"]),
                norm=str(first.ways[chosen[name]["normalised"]]["norm"]),
            )
        )
    return sorted(found, key=lambda line: -line.normalised.micro_ap.estimate)


@dataclass(frozen=True)
class _At:
    """The seeds of a row, in the ways that were chosen for it."""

    seeds: Sequence[Outcome]
    ways: Mapping[str, str]

    def figures(self, kind: Kind, protocol: str = "neighbours") -> list[Mapping[str, Any]]:
        return [one.ways[self.ways[kind]][protocol] for one in self.seeds]

    def candidates(self, kind: Kind, lab: Lab, benchmark: Benchmark) -> list[Candidates]:
        way = self.ways[kind]
        return [_candidates(evaluation_file(lab, benchmark, one.name, way)) for one in self.seeds]


def _compared(
    kind: Kind, row: _At, base: _At, lab: Lab, benchmark: Benchmark, samples: int
) -> Compared:
    figures, overall = row.figures(kind), row.figures(kind, "global")
    ours, theirs = _opponents(row, base)
    difference = None
    try:
        if theirs.seeds:
            pair = (one.candidates(kind, lab, benchmark) for one in (ours, theirs))
            difference = mean_difference(*pair, samples=samples)
        own = mean_difference(row.candidates(kind, lab, benchmark), samples=samples)
    except ValueError as error:
        raise UserError(
            f"{row.seeds[0].row} was judged on other queries than the rest ({error}); delete "
            f"{outcome_file(lab, benchmark, row.seeds[0].name)} and judge it again"
        ) from error
    return Compared(
        micro_ap=own,
        by_seed=tuple(float(one["micro_ap"]) for one in figures),
        way=row.ways[kind],
        recall_at_p90=sum(float(one["recall_at_p90"]) for one in figures) / len(figures),
        global_micro_ap=sum(float(one["micro_ap"]) for one in overall) / len(overall),
        difference=difference,
        base_seeds=tuple(one.seed for one in theirs.seeds if one.seed is not None),
    )


def _opponents(row: _At, base: _At) -> tuple[_At, _At]:
    """What is compared: the same trainings where a row describes these otherwise, else all."""
    if row.seeds[0].row == BASE:
        return row, _At([], {})
    trained = {one.seed for one in row.seeds if one.asked.get("training") == BASE}
    common = trained & {one.seed for one in base.seeds}
    if not common:
        return row, base
    return (
        _At([one for one in row.seeds if one.seed in common], row.ways),
        _At([one for one in base.seeds if one.seed in common], base.ways),
    )


def _candidates(path: Path) -> Candidates:
    for judged in read_evaluations(path):
        if judged.evaluation.kind == "neighbours":
            return judged.evaluation.candidates
    raise UserError(f"{path} lacks the list of 10 neighbours a query; delete it, and judge again")


def _mean(group: Sequence[Outcome], fact: str) -> float | None:
    known = [float(one.facts[fact]) for one in group if one.facts.get(fact) is not None]
    return sum(known) / len(known) if known else None
