"""Where everything lies in a laboratory, and what its `budget.json` says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sscd.errors import UserError
from sscd.files import atomic_path

Benchmark = Literal["development", "test"]
PARTS = ("training", "normalisation", "development", "test")
BUDGET_FILE = "budget.json"
VERSION = 1

# Choices are made by the edits of phase I, the end is judged by those of phase II.
_QUERIES: dict[Benchmark, str] = {"development": "dev_queries", "test": "test_queries"}


@dataclass(frozen=True)
class Lab:
    """A directory that `prepare` has made.

    Attributes:
        path: The directory.
    """

    path: Path

    @property
    def budget(self) -> Path:
        """What was shared out, and what a training may cost, in writing."""
        return self.path / BUDGET_FILE

    @property
    def cache(self) -> Path:
        """What trainings remember of the pictures."""
        return self.path / "cache"

    @property
    def shards(self) -> Path:
        """The training pictures, packed."""
        return self.path / "training"

    def pictures(self, part: str) -> Path:
        """The photographs of a part, as links."""
        return self.path / "pictures" / part

    def references(self, benchmark: Benchmark) -> Path:
        """The pictures that are searched."""
        return self.path / benchmark / "references"

    def queries(self, benchmark: Benchmark) -> Path:
        """The edited pictures that search."""
        return self.path / benchmark / _QUERIES[benchmark]

    def truth(self, benchmark: Benchmark) -> Path:
        """The ground truth of the queries."""
        return self.path / benchmark / f"{_QUERIES[benchmark]}_groundtruth.csv"

    def edits(self, benchmark: Benchmark) -> Path:
        """What was done to each query."""
        return self.path / benchmark / "edits.jsonl"

    def run(self, training: str, seed: int) -> Path:
        """The run directory of a training."""
        return self.path / "runs" / f"{training}-seed{seed}"

    def results(self, benchmark: Benchmark) -> Path:
        """Where results lie; those of the test benchmark are apart."""
        return self.path / "results" / ("" if benchmark == "development" else benchmark)

    def descriptors(self, benchmark: Benchmark, name: str) -> Path:
        """The descriptors behind a result, in parts."""
        return self.path / "descriptors" / benchmark / name

    def read_budget(self) -> dict[str, Any]:
        """What `prepare` has written at its end.

        Raises:
            UserError: It has not, or the file is damaged.
        """
        if not self.budget.is_file():
            raise UserError(
                f"{self.path} is no laboratory yet: it has no {BUDGET_FILE}; "
                "`python -m benchmarks.recipes prepare PHOTOS OUT` makes one"
            )
        values = read_json(self.budget)
        if values.get("version") != VERSION:
            raise UserError(
                f"{self.budget} has version {values.get('version')}; expected {VERSION}: "
                "prepare another one"
            )
        if not {"views", "pictures"} <= values.keys():
            raise UserError(f"{self.budget} lacks views or pictures; prepare another laboratory")
        return values


def read_json(path: Path) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        UserError: The file cannot be read, or is no such thing.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); delete it and run again") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no object of JSON; delete it and run again")
    return values


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write an object of JSON, whole or not at all.

    Raises:
        UserError: The file cannot be written.
    """
    text = json.dumps(values, indent=1, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
