"""`model`: a network's file, trained elsewhere, judged as the rows are."""

from pathlib import Path

from benchmarks.recipes.judging import judge_network
from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.results import (
    Outcome,
    digest_of,
    headline,
    kept_outcome,
    name_of,
    refuse_second_look,
    write_outcome,
)
from benchmarks.recipes.row import Row, known_rows
from benchmarks.recipes.running import LAB, line_of, use_threads
from sscd.errors import UserError
from sscd.terminal import Result


def model(
    file: Path, lab: Path = LAB, name: str | None = None, test: bool = False, threads: int = 1
) -> Result:
    """Judge a network's file as the rows are, such as the model in the box.

    The table shows it without a cost: the laboratory does not know what it took, nor what it was
    trained on.

    Args:
        file: A checkpoint, or a network as safetensors, which knows how it describes.
        lab: A directory that `prepare` has made.
        name: In the table; by default the file's.
        test: Judge on the test benchmark too, by what was chosen on development.
        threads: Of the process.
    """
    place = Lab(lab.absolute())
    place.read_budget()
    use_threads(threads)
    if not file.is_file():
        raise UserError(f"{file} does not exist; give a network's file")
    shown = name or file.stem
    if shown in known_rows():
        raise UserError(f"--name {shown}: that is a row; give another")
    done = {"development": _judged(shown, file, place, "development", None)}
    if test:
        done["test"] = _judged(shown, file, place, "test", done["development"])
    return Result(
        {"name": shown, **{name: one.ways for name, one in done.items()}},
        [f"{name}: {line_of(one)}" for name, one in done.items()],
    )


def _judged(
    name: str, file: Path, lab: Lab, benchmark: Benchmark, chosen: Outcome | None
) -> Outcome:
    asked = {"checkpoint": digest_of(file)}
    short = name_of(name, None)
    if kept := kept_outcome(lab, benchmark, short, asked):
        return kept
    if benchmark == "test":
        refuse_second_look(lab, short, asked)
    row = Row(name, about=f"{file.name}, trained elsewhere", training="", train={})
    ways, facts = judge_network(row, short, lab, benchmark, file)
    outcome = Outcome(
        row=name,
        about=row.about,
        seed=None,
        ways=ways,
        headline=chosen.headline if chosen else headline([ways]),
        cost=None,
        facts=facts,
        asked=asked,
    )
    write_outcome(lab, benchmark, outcome)
    return outcome
