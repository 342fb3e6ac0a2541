"""The bars of this process: one display, which work within work adds a line to."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from sscd.terminal.log_lines import pace
from sscd.terminal.printing import bars_console

_WIDE, _NARROW = 90, 72
_WIDE_BAR, _SHORT_BAR = 30, 10
_RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")


class _Bar(BarColumn):
    def render(self, task: Task) -> ProgressBar:
        """The bar, of no width where the end is not known."""
        bar = super().render(task)
        if task.total is None:
            bar.width = 0
        return bar


class _Counts(ProgressColumn):
    def render(self, task: Task) -> Text:
        """`1,200/7,209`, or what is done where the total is not known."""
        if task.total is None:
            return Text(f"{int(task.completed):,}" if task.completed else "")
        return Text(f"{int(task.completed):,}/{int(task.total):,}")


class _Pace(ProgressColumn):
    def render(self, task: Task) -> Text:
        """`85 pictures/s`."""
        speed, unit = task.finished_speed or task.speed, task.fields["unit"]
        return Text(pace(speed, 1.0, unit) if speed else "")


class _Left(TimeRemainingColumn):
    def render(self, task: Task) -> Text:
        """Time left, or time passed where the end is not known or reached."""
        if task.total is None or task.finished:
            return TimeElapsedColumn().render(task)
        return super().render(task)


class _Figures(ProgressColumn):
    """Figures beside a bar, as many of the first ones as the line has room for."""

    def __init__(self) -> None:
        super().__init__(table_column=_one_line())
        self.bars: Progress | None = None

    def render(self, task: Task) -> Text:
        """`loss 1.234 · μAP 0.567`; empty where none fits."""
        figures = task.fields.get("figures")
        room = self._room() if figures and self.bars is not None else 0
        return Text(that_fit(figures or {}, room))

    def _room(self) -> int:
        """Signs that the other columns leave, each of which is as wide as its widest cell."""
        if self.bars is None:
            return 0
        tasks = [task for task in self.bars.tasks if task.visible]
        measure = self.bars.console.measure
        columns = [column for column in self.bars.columns if isinstance(column, ProgressColumn)]
        others = [column for column in columns if column is not self]
        taken = [max(measure(column(task)).maximum + 1 for task in tasks) for column in others]
        return self.bars.console.width - sum(taken) - 1  # a full line wraps in some terminals


def that_fit(figures: Mapping[str, str], room: int) -> str:
    """The first figures, as many as fit.

    Args:
        figures: Name → value, the one that matters most first.
        room: Signs that there is room for.

    >>> that_fit({"loss": "1.234", "μAP": "0.567"}, 12)
    'loss 1.234'
    """
    line = ""
    for name, value in figures.items():
        longer = f"{line}{' · ' if line else ''}{name} {value}"
        if len(longer) > room:
            break
        line = longer
    return line


@dataclass
class Display:
    """The bars of this process, which are live while any work goes on."""

    bars: Progress | None = None
    tasks: list[TaskID] = field(default_factory=list)

    def open(self, description: str, total: int | None, unit: str) -> TaskID:
        """Add a line; the first one begins to draw."""
        if self.bars is None:
            self.bars = _make_bars()
            self.bars.start()
        task = self.bars.add_task(description, total=total, unit=unit, figures={})
        self.tasks.append(task)
        return task

    def close(self, task: TaskID) -> None:
        """End a line; the last one ends the drawing, and stays if it is a bar."""
        if self.bars is None or task not in self.tasks:  # it was stopped meanwhile
            return
        self.tasks.remove(task)
        nested = bool(self.tasks)
        if nested or any(one.id == task and one.total is None for one in self.bars.tasks):
            self.bars.remove_task(task)
        if not nested:
            self.stop()

    def stop(self) -> None:
        """End the drawing, whoever still holds a line."""
        bars, self.bars = self.bars, None
        self.tasks.clear()
        if bars is not None:
            bars.stop()


def speaks() -> bool:
    """Whether this process tells the person: of the ranks of a launch the first one does."""
    return not any(os.environ.get(key, "0") != "0" for key in _RANKS)


def in_terminal() -> bool:
    """Whether standard error is a terminal in which bars can be drawn."""
    # Asked of the stream itself: rich takes a log file for a terminal where FORCE_COLOR is set.
    stream = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return stream is not None and stream.isatty() and not dumb


def _one_line() -> Column:
    return Column(no_wrap=True)


def _make_bars() -> Progress:
    shown_on = bars_console()
    bar = _Bar(_WIDE_BAR if shown_on.width >= _WIDE else _SHORT_BAR, table_column=_one_line())
    figures = _Figures()
    figures.bars = Progress(
        SpinnerColumn("line", table_column=_one_line()),  # of ASCII, which every terminal can show
        TextColumn("{task.description}", markup=False, table_column=_one_line()),
        *([bar] if shown_on.width >= _NARROW else []),
        _Counts(table_column=_one_line()),
        _Pace(table_column=_one_line()),
        _Left(compact=True, table_column=_one_line()),
        figures,
        console=shown_on,
        # What is printed to a file meanwhile must not end up in the terminal.
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    )
    return figures.bars
