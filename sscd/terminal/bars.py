"""Progress with rate and time left, on standard error: bars in a terminal, else lines in a log."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.progress import Progress, TaskID

from sscd.terminal.display import Display, in_terminal, speaks
from sscd.terminal.log_lines import LogLines
from sscd.terminal.printing import current_mode
from sscd.vectors import Vectors

T = TypeVar("T")

_BETWEEN_S = 0.05
_display = Display()


@dataclass
class Work:
    """A piece of work that goes on; of `working`."""

    _lines: LogLines | None = None
    _bars: Progress | None = None
    _task: TaskID | None = None
    _done: int = 0
    _shown: float = 0.0

    def advance(self, count: int = 1) -> None:
        """Say that so much more is done."""
        self.move_to(self._done + count)

    def move_to(self, done: int) -> None:
        """Say how much is done."""
        self._done = done
        if self._lines is not None:
            self._lines.move_to(done)
        elif (now := time.monotonic()) - self._shown >= _BETWEEN_S:
            self._shown = now
            self.show()

    def note(self, figures: Mapping[str, str]) -> None:
        """Show figures beside the bar, as many of the first ones as there is room for."""
        if self._bars is not None and self._task is not None and _display.bars is self._bars:
            self._bars.update(self._task, figures=dict(figures))

    def show(self) -> None:
        """Draw what is done, which is not drawn at every step: there may be millions."""
        if self._bars is not None and self._task is not None and _display.bars is self._bars:
            self._bars.update(self._task, completed=self._done)


@contextmanager
def working(
    description: str, *, total: int | None = None, unit: str = "pictures"
) -> Iterator[Work]:
    """Show how a piece of work goes, unless `--quiet` was asked for; of ranks the first one does.

    Args:
        description: What is being done, as in `describing queries`.
        total: How much there is of it; None where that is not known: a spinner then.
        unit: What is counted, in the plural.
    """
    if current_mode().quiet or not speaks():
        yield Work()
    elif in_terminal():
        task = _display.open(description, total, unit)
        work = Work(_bars=_display.bars, _task=task)
        try:
            yield work
        finally:
            work.show()
            _display.close(task)
    else:
        lines = LogLines(description, total, unit)
        yield Work(_lines=lines)
        lines.end()


def tracked(
    items: Iterable[T], description: str, *, total: int | None = None, unit: str = "pictures"
) -> Iterator[T]:
    """Yield the items, with a bar that counts them.

    Args:
        items: What is gone through.
        description: What is being done.
        total: How many there are; None to ask `items` itself, where it knows.
        unit: What they are, in the plural.
    """
    known: Any = items
    count = len(known) if total is None and hasattr(items, "__len__") else total
    with working(description, total=count, unit=unit) as work:
        for item in items:
            yield item
            work.advance()


def stop_bars() -> None:
    """Take all bars from the terminal, whoever still holds one, and show the cursor again."""
    _display.stop()


@contextmanager
def watched(vectors: Vectors, description: str, *, unit: str = "references") -> Iterator[Vectors]:
    """Yield the same rows, whose reading moves a progress bar on standard error."""
    with working(description, total=len(vectors), unit=unit) as work:
        yield _Watched(vectors, work)


class _Watched:
    def __init__(self, vectors: Vectors, work: Work) -> None:
        self._vectors = vectors
        self._work = work
        self._read = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._vectors.shape)

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, rows: slice, /) -> Any:
        found = self._vectors[rows]
        self._read = min(self._read + len(found), len(self._vectors))  # some may be read twice
        self._work.move_to(self._read)
        return found
