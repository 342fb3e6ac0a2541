"""Describes a benchmark's pictures with a row's network, in this process."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.recipes.lab import Benchmark, Lab
from benchmarks.recipes.row import Row
from benchmarks.recipes.spent import cpu_seconds
from sscd.commands.describe import describe
from sscd.errors import UserError

Side = Literal["queries", "references", "normalisation"]
SIDES: tuple[Side, ...] = ("queries", "references", "normalisation")
# Options of `sscd describe` that say where and how fast, not what a descriptor is.
_OURS = (
    *("source", "output", "checkpoint", "engine", "batch_size", "workers", "device", "partition"),
    *("processes", "ray_address", "actors", "cpus_per_actor", "gpus_per_actor", "cache"),
    "cache_gb",
)


@dataclass(frozen=True)
class Described:
    """A row's descriptors of a benchmark.

    Attributes:
        parts: Where those of each side lie.
        dims: Their length.
        pictures: How many.
        cpu_seconds: What describing took of the processor.
    """

    parts: Mapping[Side, Path]
    dims: int
    pictures: int
    cpu_seconds: float


def describe_benchmark(
    checkpoint: Path, options: Mapping[str, Any], *, lab: Lab, benchmark: Benchmark, work: Path
) -> Described:
    """Describe queries, references and normalisation pictures anew, in this process.

    Args:
        checkpoint: The network.
        options: A row's `describe`.
        lab: Where the pictures lie.
        benchmark: Which one.
        work: Where descriptors go; what is there is removed.

    Raises:
        UserError: An option is wrong, or pictures cannot be described.
    """
    from sscd.arguments.functions import parse_function

    shutil.rmtree(work, ignore_errors=True)
    sources: dict[Side, Path] = {
        "queries": lab.queries(benchmark),
        "references": lab.references(benchmark),
        "normalisation": lab.pictures("normalisation"),
    }
    before, dims, pictures = cpu_seconds(), 0, 0
    for side in SIDES:
        arguments = [str(sources[side]), str(work / side), "--checkpoint", str(checkpoint)]
        arguments += ["--workers", "0", *arguments_of(options)]
        parsed = parse_function(
            describe, arguments, prog="row: describe", positional=("source", "output")
        )
        done = describe(**parsed)
        if done is None:
            raise UserError("start the laboratory without torchrun or srun")
        if done.values["unreadable"]:
            raise UserError(f"{sources[side]} has pictures that cannot be read; prepare it again")
        dims, pictures = int(done.values["dims"]), pictures + int(done.values["described"])
    return Described({side: work / side for side in SIDES}, dims, pictures, cpu_seconds() - before)


def check_options(row: Row) -> None:
    """Check a row's `describe` before its training takes its time.

    Raises:
        UserError: `sscd describe` has no such option or value.
    """
    from sscd.arguments.functions import parse_function

    arguments = ["pictures", "descriptors", *arguments_of(row.describe)]
    positional = ("source", "output")
    try:
        parse_function(describe, arguments, prog="sscd describe", positional=positional)
    except UserError as error:
        raise UserError(f"row {row.name}: describe: {error}") from error


def arguments_of(options: Mapping[str, Any]) -> list[str]:
    """A row's `describe` as options of `sscd describe`.

    Raises:
        UserError: It sets what the laboratory sets.

    >>> arguments_of({"size": 80, "mirror": True, "scales": [1.0, 1.4]})
    ['--size', '80', '--mirror', 'true', '--scales', '1.0', '1.4']
    """
    written: list[str] = []
    for key, value in options.items():
        if key in _OURS:
            raise UserError(f"describe.{key} is set by the laboratory; leave it out")
        values = value if isinstance(value, list) else [value]
        texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
        written += [f"--{key}", *texts]
    return written
