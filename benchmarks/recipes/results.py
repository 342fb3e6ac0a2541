"""The results of a row: what is kept of it beside its evaluations."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.recipes.lab import Benchmark, Lab, read_json, write_json
from benchmarks.recipes.row import Row
from sscd.errors import UserError


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
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
    return {
        "training": row.training,
        "describe": dict(row.describe),
        "postprocess": {**post, "projections": list(post["projections"])},
        "checkpoint": digest,
    }


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
