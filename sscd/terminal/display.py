"""The bars of this process: one display, which work within work adds a line to."""

import os
import sys
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
        task = self.bars.add_task(description, total=total, unit=unit)
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


def _make_bars() -> Progress:
    shown_on = bars_console()
    bar = [_Bar(bar_width=_WIDE_BAR if shown_on.width >= _WIDE else _SHORT_BAR)]
    return Progress(
        SpinnerColumn("line"),  # of ASCII, which every terminal can show
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        *(bar if shown_on.width >= _NARROW else []),
        _Counts(table_column=Column(no_wrap=True)),
        _Pace(table_column=Column(no_wrap=True)),
        _Left(compact=True),
        console=shown_on,
        # What is printed to a file meanwhile must not end up in the terminal.
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    )
