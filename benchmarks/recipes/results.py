"""The results of a row: what is kept of it beside its evaluations."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.recipes.lab import Benchmark, Lab, read_json, write_json
from benchmarks.recipes.row import ROWS, Row, read_row
from benchmarks.recipes.training import last_checkpoint
from sscd.errors import UserError
from sscd.terminal import remark


@dataclass(frozen=True)
class Outcome:
    """A row with a seed, judged on a benchmark.

    Attributes:
        row: Its name.
        about: One line of it.
        seed: Of its training; None where nothing is trained.
        ways: Way → figures by protocol, the dimensions and the projection.
        headline: `plain` and `normalised` → the way that is shown, chosen on development.
        cost: Of the training, in the budget's units; None where nothing was trained.
        facts: What else is known, in plain values.
        asked: What the figures depend on, in plain values.
    """

    row: str
    about: str
    seed: int | None
    ways: Mapping[str, Mapping[str, Any]]
    headline: Mapping[str, str]
    cost: float | None
    facts: Mapping[str, Any]
    asked: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of its files."""
        return name_of(self.row, self.seed)

    def figures(self, kind: str) -> Mapping[str, Any]:
        """Those of the headline, by 10 neighbours a query; `kind` is plain or normalised."""
        found: Mapping[str, Any] = self.ways[self.headline[kind]]["neighbours"]
        return found


def headline(seeds: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, str]:
    """The way that is best by the mean over a row's seeds, without and with score normalisation.

    Args:
        seeds: `Outcome.ways` of each seed, on development.

    >>> def at(micro_ap, norm=""):
    ...     return {"neighbours": {"micro_ap": micro_ap}, "norm": norm}
    >>> headline([{"raw": at(0.5), "whitened": at(0.4), "raw-normalised": at(0.6, "1.0[0,2]")}])
    {'plain': 'raw', 'normalised': 'raw-normalised'}
    """
    best = {}
    for kind, normalised in (("plain", False), ("normalised", True)):
        names = [
            name
            for name, way in seeds[0].items()
            if bool(way["norm"]) is normalised and all(name in others for others in seeds)
        ]
        best[kind] = max(
            names,
            key=lambda name: sum(float(ways[name]["neighbours"]["micro_ap"]) for ways in seeds),
        )
    return best


def name_of(row: str, seed: int | None) -> str:
    """What the files of a row with a seed are called.

    >>> name_of("published", 0), name_of("GIST, PCA 256", None)
    ('published-seed0', 'gist-pca-256')
    """
    if seed is None:
        return re.sub(r"[^a-z0-9]+", "-", row.lower()).strip("-")
    return f"{row}-seed{seed}"


def asked_of(row: Row, checkpoint: Path) -> dict[str, Any]:
    """What the figures of a row depend on besides the benchmark."""
    post = asdict(row.postprocess)
    return {
        "training": row.training,
        "describe": dict(row.describe),
        "postprocess": {**post, "projections": list(post["projections"])},
        "checkpoint": digest_of(checkpoint),
    }


def digest_of(checkpoint: Path) -> str:
    """What tells one network's file from another."""
    with checkpoint.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def outcome_file(lab: Lab, benchmark: Benchmark, name: str) -> Path:
    """Where an outcome is kept."""
    return lab.results(benchmark) / f"{name}.json"


def evaluation_file(lab: Lab, benchmark: Benchmark, name: str, way: str) -> Path:
    """Where the evaluation of a way is kept."""
    return lab.results(benchmark) / name / f"{way}.h5"


def write_outcome(lab: Lab, benchmark: Benchmark, outcome: Outcome) -> Path:
    """Keep an outcome.

    Raises:
        UserError: It cannot be written.
    """
    path = outcome_file(lab, benchmark, outcome.name)
    write_json(path, asdict(outcome))
    return path


def read_outcome(path: Path) -> Outcome:
    """An outcome that was kept.

    Raises:
        UserError: It cannot be read, or is none.
    """
    try:
        return Outcome(**read_json(path))
    except TypeError as error:
        raise UserError(f"{path} is no result of a row ({error}); delete it") from error


def chosen_ways(lab: Lab) -> dict[str, dict[str, str]]:
    """`headline` of each row and system that was judged on development, over its seeds.

    Raises:
        UserError: Nothing was judged there, or a result cannot be read.
    """
    rows: dict[str, list[Mapping[str, Mapping[str, Any]]]] = {}
    for one in all_outcomes(lab, "development"):
        rows.setdefault(one.row, []).append(one.ways)
    return {name: headline(seeds) for name, seeds in rows.items()}


def is_whole(lab: Lab, benchmark: Benchmark, outcome: Outcome) -> bool:
    """Whether the evaluations behind an outcome are there."""
    name = outcome.name
    return all(evaluation_file(lab, benchmark, name, way).is_file() for way in outcome.ways)


def is_current(lab: Lab, outcome: Outcome) -> bool:
    """Whether a row and its network are still what was judged; of a system that is not known.

    Raises:
        UserError: The row cannot be read.
    """
    if outcome.seed is None:
        return True
    file = Path(outcome.facts.get("row_file", ROWS / f"{outcome.row}.yaml"))
    if not file.is_file():
        return False
    row = read_row(str(file))
    checkpoint = last_checkpoint(lab.run(row.training, outcome.seed))
    return checkpoint.is_file() and asked_of(row, checkpoint) == outcome.asked


def kept_outcome(
    lab: Lab, benchmark: Benchmark, name: str, asked: Mapping[str, Any]
) -> Outcome | None:
    """A result of an earlier call, if it is whole and nothing that it depends on has changed."""
    file = outcome_file(lab, benchmark, name)
    if not file.is_file():
        return None
    found = read_outcome(file)
    if found.asked != asked or not is_whole(lab, benchmark, found):
        return None
    remark(f"{name}: taken from {file}")
    return found


def refuse_second_look(lab: Lab, name: str, asked: Mapping[str, Any]) -> None:
    """Let test be looked at once.

    Raises:
        UserError: Something else of that name was judged there.
    """
    seen = outcome_file(lab, "test", name)
    if seen.is_file() and read_outcome(seen).asked != asked:
        raise UserError(
            f"{name} has changed since it was judged on test, which is looked at once; give what "
            f"has changed another name, or delete {seen}"
        )


def all_outcomes(lab: Lab, benchmark: Benchmark) -> list[Outcome]:
    """All outcomes of a benchmark, by the names of their files.

    Raises:
        UserError: There is none, or one cannot be read.
    """
    paths = sorted(lab.results(benchmark).glob("*.json"))
    if not paths:
        command = "test" if benchmark == "test" else "run"
        raise UserError(
            f"{lab.path} has no results of {benchmark} yet; "
            f"`python -m benchmarks.recipes {command} ROW --lab {lab.path}` makes some"
        )
    return [read_outcome(path) for path in paths]
