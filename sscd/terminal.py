"""What commands and long work print."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sscd.vectors import Vectors


def progress() -> Progress:
    """A progress bar with counts and time left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def say(*parts: object) -> None:
    """Print a line to standard output, not wrapped and not coloured by its content."""
    Console().print(*parts, highlight=False, soft_wrap=True, markup=False, emoji=False)


def warn(*parts: object) -> None:
    """Print a warning to standard error."""
    Console(stderr=True).print(
        "warning:", *parts, style="yellow", highlight=False, soft_wrap=True, markup=False
    )


def say_json(value: object) -> None:
    """Print JSON to standard output; numbers that are not finite are null."""
    print(json.dumps(_finite(value), indent=1, allow_nan=False))  # noqa: T201


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def watched(vectors: Vectors, description: str) -> Iterator[Vectors]:
    """Yield the same rows, whose reading moves a progress bar on standard error."""
    with progress() as bar:
        yield _Watched(vectors, bar, description)


class _Watched:
    def __init__(self, vectors: Vectors, bar: Progress, description: str) -> None:
        self._vectors = vectors
        self._bar = bar
        self._task = bar.add_task(description, total=len(vectors))
        self._read = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._vectors.shape)

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, rows: slice, /) -> Any:
        found = self._vectors[rows]
        self._read = min(self._read + len(found), len(self._vectors))  # some may be read twice
        self._bar.update(self._task, completed=self._read)
        return found
