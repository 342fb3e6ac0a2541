"""`run` and `test`: rows trained, described and judged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.recipes.cost import UNIT_SIZE
from benchmarks.recipes.judging import describe_benchmark, headline, judge
from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.metrics import views_per_second
from benchmarks.recipes.results import (
    Outcome,
    asked_of,
    name_of,
    outcome_file,
    read_outcome,
    write_outcome,
)
from benchmarks.recipes.row import Row, read_row
from benchmarks.recipes.training import Trained, last_checkpoint, train_row
from sscd.commands.describing import repeatable
from sscd.errors import UserError
from sscd.terminal import Result, remark

LAB = Path("lab")


def run_rows(
    rows: list[str],
    lab: Path = LAB,
    seed: list[int] | None = None,
    threads: int = 1,
    again: bool = False,
) -> Result:
    """Train rows within the budget, and judge them on the development benchmark.

    Interrupted, the same command goes on; what is finished is not done again.

    Args:
        rows: Their names, or paths of YAML files.
        lab: A directory that `prepare` has made.
        seed: One or more seeds of the training; by default the rows' own.
        threads: Of each process.
        again: Train anew what was trained before.
    """
    place = Lab(lab.absolute())
    done = []
    for row in map(read_row, rows):
        for number in seed or row.seeds:
            _use(threads)
            with repeatable():
                trained = train_row(row, seed=number, lab=place, threads=threads, again=again)
            done.append(_developed(row, number, place, trained))
    return _result(done, "development")


def judge_rows(
    rows: list[str], lab: Path = LAB, seed: list[int] | None = None, threads: int = 1
) -> Result:
    """Judge trained rows on the test benchmark, by what was chosen on development.

    Args:
        rows: Their names, or paths of YAML files.
        lab: A directory that `prepare` has made.
        seed: One or more seeds of the training; by default the rows' own.
        threads: Of the process.
    """
    place = Lab(lab.absolute())
    place.read_budget()
    done = []
    for row in map(read_row, rows):
        for number in seed or row.seeds:
            _use(threads)
            done.append(_tested(row, number, place))
    return _result(done, "test")


def _developed(row: Row, seed: int, lab: Lab, trained: Trained) -> Outcome:
    name = name_of(row.name, seed)
    if kept := _kept(lab, "development", row, name, trained.checkpoint):
        return kept
    spent = {"cpu_seconds": trained.cpu_seconds, "wall_seconds": trained.wall_seconds}
    facts: dict[str, Any] = {
        "views": trained.cost.views,
        "cost_by_epoch": list(trained.cost.by_epoch),
        **spent,
        "views_per_second": views_per_second(trained.run),
        "backbone": trained.config["model"]["network"]["backbone"],
    }
    ways, more = _judged(row, name, lab, "development", trained.checkpoint)
    outcome = Outcome(
        row=row.name,
        about=row.about,
        seed=seed,
        ways=ways,
        headline=headline(ways),
        cost=trained.cost.units,
        facts=facts | more,
        asked=asked_of(row, trained.checkpoint),
    )
    write_outcome(lab, "development", outcome)
    return outcome


def _tested(row: Row, seed: int, lab: Lab) -> Outcome:
    name = name_of(row.name, seed)
    checkpoint = last_checkpoint(lab.run(row.training, seed))
    file = outcome_file(lab, "development", name)
    chosen = read_outcome(file) if file.is_file() else None
    if chosen is None or not checkpoint.is_file() or chosen.asked != asked_of(row, checkpoint):
        raise UserError(
            f"row {row.name}, seed {seed} is not judged on development as it is now, where all is "
            f"chosen; `python -m benchmarks.recipes run {row.name} --seed {seed}` comes first"
        )
    if kept := _kept(lab, "test", row, name, checkpoint):
        return kept
    ways, more = _judged(row, name, lab, "test", checkpoint)
    outcome = Outcome(
        row=row.name,
        about=row.about,
        seed=seed,
        ways=ways,
        headline=chosen.headline,
        cost=chosen.cost,
        facts={**chosen.facts, **more},
        asked=chosen.asked,
    )
    write_outcome(lab, "test", outcome)
    return outcome


def _kept(lab: Lab, benchmark: Benchmark, row: Row, name: str, checkpoint: Path) -> Outcome | None:
    """A result of an earlier call, if nothing that it depends on has changed since."""
    file = outcome_file(lab, benchmark, name)
    if not file.is_file():
        return None
    found = read_outcome(file)
    if found.asked != asked_of(row, checkpoint):
        return None
    remark(f"{name}: taken from {file}")
    return found


def _judged(
    row: Row, name: str, lab: Lab, benchmark: Benchmark, checkpoint: Path
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    described = describe_benchmark(
        checkpoint,
        row.describe,
        lab=lab,
        benchmark=benchmark,
        work=lab.descriptors(benchmark, name),
    )
    ways = judge(
        described,
        row.postprocess,
        name=name,
        lab=lab,
        benchmark=benchmark,
        output=lab.results(benchmark) / name,
    )
    milliseconds = 1000 * described.cpu_seconds / described.pictures
    return ways, {"dims": described.dims, "milliseconds_a_picture": milliseconds}


def _use(threads: int) -> None:
    import torch

    if threads < 1:
        raise UserError(f"--threads {threads}: give at least 1")
    torch.set_num_threads(threads)


def _result(done: Sequence[Outcome], benchmark: Benchmark) -> Result:
    return Result(
        {"benchmark": benchmark, "rows": [{"name": one.name, **one.ways} for one in done]},
        [_line(one) for one in done],
    )


def _line(one: Outcome) -> str:
    shown = (
        f"{kind} {one.figures(kind)['micro_ap']:.3f} ({one.headline[kind]})"
        for kind in ("plain", "normalised")
    )
    cost = "" if one.cost is None else f"; {one.cost:,.0f} views at {UNIT_SIZE} px"
    return f"{one.name}: micro-AP {', '.join(shown)}{cost}"
