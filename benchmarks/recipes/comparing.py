"""The lines of the table: rows over their seeds, with intervals and what sets them apart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.results import Outcome, evaluation_file
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
        ways: The way of each, likewise.
        recall_at_p90: Mean over seeds.
        global_micro_ap: Mean over seeds by the challenge's protocol.
        difference: From the published row, on the same queries and the seeds that both have; None
            for that row itself, or where it is not judged.
        paired_seeds: Those seeds; all of both where there is none in common.
    """

    micro_ap: Interval
    by_seed: tuple[float, ...]
    ways: tuple[str, ...]
    recall_at_p90: float
    global_micro_ap: float
    difference: Interval | None
    paired_seeds: tuple[int, ...] = ()


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
    outcomes: Sequence[Outcome], *, lab: Lab, benchmark: Benchmark, samples: int
) -> list[TableLine]:
    """The table's lines, the best normalised micro-AP first.

    Args:
        outcomes: Of one benchmark.
        lab: Where their evaluations lie.
        benchmark: Which one.
        samples: Resamples of the intervals.

    Raises:
        UserError: An evaluation cannot be read, or is of other queries.
    """
    rows: dict[str, list[Outcome]] = {}
    for one in outcomes:
        rows.setdefault(one.row, []).append(one)
    for group in rows.values():
        group.sort(key=lambda one: -1 if one.seed is None else one.seed)
    base = rows.get(BASE, [])
    found = []
    for name, group in rows.items():
        compared = {
            kind: _compared(kind, group, [] if name == BASE else base, lab, benchmark, samples)
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
                norm=str(first.ways[first.headline["normalised"]]["norm"]),
            )
        )
    return sorted(found, key=lambda line: -line.normalised.micro_ap.estimate)


def _compared(
    kind: Kind,
    group: Sequence[Outcome],
    base: Sequence[Outcome],
    lab: Lab,
    benchmark: Benchmark,
    samples: int,
) -> Compared:
    ours = [_candidates(one, kind, lab, benchmark) for one in group]
    of_all = [one.ways[one.headline[kind]]["global"]["micro_ap"] for one in group]
    recalls = [float(one.figures(kind)["recall_at_p90"]) for one in group]
    common = sorted({one.seed for one in group} & {one.seed for one in base} - {None})  # type: ignore[type-var]
    try:
        difference = None
        if base:
            paired = [
                [
                    _candidates(one, kind, lab, benchmark)
                    for one in side
                    if not common or one.seed in common
                ]
                for side in (group, base)
            ]
            difference = mean_difference(*paired, samples=samples)
        return Compared(
            micro_ap=mean_difference(ours, samples=samples),
            by_seed=tuple(float(one.figures(kind)["micro_ap"]) for one in group),
            ways=tuple(one.headline[kind] for one in group),
            recall_at_p90=sum(recalls) / len(recalls),
            global_micro_ap=sum(of_all) / len(of_all),
            difference=difference,
            paired_seeds=tuple(seed for seed in common if seed is not None),
        )
    except ValueError as error:
        raise UserError(
            f"{group[0].row} was judged on other queries than the rest ({error}); judge it again"
        ) from error


def _candidates(one: Outcome, kind: Kind, lab: Lab, benchmark: Benchmark) -> Candidates:
    path = evaluation_file(lab, benchmark, one.name, one.headline[kind])
    for judged in read_evaluations(path):
        if judged.evaluation.kind == "neighbours":
            return judged.evaluation.candidates
    raise UserError(f"{path} lacks the list of 10 neighbours a query; judge the row again")


def _mean(group: Sequence[Outcome], fact: str) -> float | None:
    known = [float(one.facts[fact]) for one in group if one.facts.get(fact) is not None]
    return sum(known) / len(known) if known else None
