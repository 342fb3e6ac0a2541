"""`run` and `test`: rows trained, described and judged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.recipes.cost import UNIT_SIZE
from benchmarks.recipes.describing import check_options
from benchmarks.recipes.judging import judge_network
from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.metrics import views_per_second
from benchmarks.recipes.results import (
    Outcome,
    asked_of,
    headline,
    kept_outcome,
    name_of,
    outcome_file,
    read_outcome,
    refuse_second_look,
    write_outcome,
)
from benchmarks.recipes.row import Row, read_row
from benchmarks.recipes.training import Trained, last_checkpoint, train_row
from sscd.commands.describing import repeatable
from sscd.errors import UserError
from sscd.terminal import Result

LAB = Path("lab")


def run_rows(
    rows: list[str],
    lab: Path = LAB,
    seed: list[int] | None = None,
    threads: int = 1,
    again: bool = False,
) -> Result:
    """Train rows within the budget, and judge them on the development benchmark.

    Interrupted, the same command goes on; what is finished is not done again, unless by `again`,
    which begins anew each time.

    Args:
        rows: Their names, or paths of YAML files.
        lab: A directory that `prepare` has made.
        seed: One or more seeds of the training; by default the rows' own.
        threads: Of each process.
        again: Train anew what was trained before.
    """
    place = Lab(lab.absolute())
    use_threads(threads)
    done, begun = [], set[tuple[str, int]]()
    for row, number in _asked(rows, seed):
        anew = again and (row.training, number) not in begun
        begun.add((row.training, number))
        with repeatable():
            trained = train_row(row, seed=number, lab=place, threads=threads, again=anew)
        done.append(_developed(row, number, place, trained))
    return _result(done, "development")


def judge_rows(
    rows: list[str], lab: Path = LAB, seed: list[int] | None = None, threads: int = 1
) -> Result:
    """Judge trained rows on the test benchmark, by what was chosen on development.

    It is looked at once: a row that was changed since is refused.

    Args:
        rows: Their names, or paths of YAML files.
        lab: A directory that `prepare` has made.
        seed: One or more seeds of the training; by default the rows' own.
        threads: Of the process.
    """
    place = Lab(lab.absolute())
    place.read_budget()
    use_threads(threads)
    chosen = [(row, _chosen(row, number, place)) for row, number in _asked(rows, seed)]
    return _result([_tested(row, one, place) for row, one in chosen], "test")


def _asked(rows: Sequence[str], seed: Sequence[int] | None) -> list[tuple[Row, int]]:
    """Rows and their seeds, all of them known to be readable before the first takes its time."""
    found = [read_row(one) for one in rows]
    for row in found:
        check_options(row)
    return [(row, number) for row in found for number in seed or row.seeds]


def _developed(row: Row, seed: int, lab: Lab, trained: Trained) -> Outcome:
    name = name_of(row.name, seed)
    asked = asked_of(row, trained.checkpoint)
    if kept := kept_outcome(lab, "development", name, asked):
        return kept
    spent = {"cpu_seconds": trained.cpu_seconds, "wall_seconds": trained.wall_seconds}
    facts: dict[str, Any] = {
        "views": trained.cost.views,
        "cost_by_epoch": list(trained.cost.by_epoch),
        **spent,
        "views_per_second": views_per_second(trained.run),
        "row_file": str(row.file),
        "backbone": trained.config["model"]["network"]["backbone"],
    }
    ways, more = judge_network(row, name, lab, "development", trained.checkpoint)
    outcome = Outcome(
        row=row.name,
        about=row.about,
        seed=seed,
        ways=ways,
        headline=headline([ways]),
        cost=trained.cost.units,
        facts=facts | more,
        asked=asked,
    )
    write_outcome(lab, "development", outcome)
    return outcome


def _chosen(row: Row, seed: int, lab: Lab) -> Outcome:
    """The outcome on development of a row as it is now, which test goes by."""
    name = name_of(row.name, seed)
    checkpoint = last_checkpoint(lab.run(row.training, seed))
    file = outcome_file(lab, "development", name)
    chosen = read_outcome(file) if file.is_file() else None
    if chosen is None or not checkpoint.is_file() or chosen.asked != asked_of(row, checkpoint):
        raise UserError(
            f"row {row.name}, seed {seed} is not judged on development as it is now, where all is "
            f"chosen; `python -m benchmarks.recipes run {row.name} --seed {seed} --lab {lab.path}` "
            "comes first"
        )
    refuse_second_look(lab, name, chosen.asked)
    return chosen


def _tested(row: Row, chosen: Outcome, lab: Lab) -> Outcome:
    if kept := kept_outcome(lab, "test", chosen.name, chosen.asked):
        return kept
    checkpoint = last_checkpoint(lab.run(row.training, chosen.seed or 0))
    ways, more = judge_network(row, chosen.name, lab, "test", checkpoint)
    outcome = replace(chosen, ways=ways, facts={**chosen.facts, **more})
    write_outcome(lab, "test", outcome)
    return outcome


def use_threads(threads: int) -> None:
    """Of this process, to describe with.

    Raises:
        UserError: There would be none.
    """
    import torch

    if threads < 1:
        raise UserError(f"--threads {threads}: give at least 1")
    torch.set_num_threads(threads)


def _result(done: Sequence[Outcome], benchmark: Benchmark) -> Result:
    return Result(
        {"benchmark": benchmark, "rows": [{"name": one.name, **one.ways} for one in done]},
        [line_of(one) for one in done],
    )


def line_of(one: Outcome) -> str:
    """A line that says how an outcome is."""
    shown = (
        f"{kind} {one.figures(kind)['micro_ap']:.3f} ({one.headline[kind]})"
        for kind in ("plain", "normalised")
    )
    cost = "" if one.cost is None else f"; {one.cost:,.0f} views at {UNIT_SIZE} px"
    return f"{one.name}: micro-AP {', '.join(shown)}{cost}"
