"""What commands print: results on standard output; remarks; warnings on standard error."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, Any, Never

from rich.console import Console, RenderableType


@dataclass(frozen=True)
class OutputMode:
    """What the person asked for, whatever the command.

    Attributes:
        quiet: No progress and no remarks; results, warnings and errors stay.
        json: The result is one JSON object, and nothing else stands on standard output.
    """

    quiet: bool = False
    json: bool = False


_AS_IT_IS: Any = {"highlight": False, "soft_wrap": True, "markup": False, "emoji": False}

_mode: ContextVar[OutputMode | None] = ContextVar("output_mode", default=None)


@contextmanager
def output_mode(mode: OutputMode) -> Iterator[None]:
    """Print as asked for, within a block."""
    token = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(token)


def current_mode() -> OutputMode:
    """How things are printed now."""
    return _mode.get() or OutputMode()


class _Console(Console):
    """rich's, except that a reader who is gone ends the command as it would any other."""

    def on_broken_pipe(self) -> Never:
        """Let the error through, in place of leaving the program at once."""
        raise BrokenPipeError("the reader of what is printed is gone")


class _AboveBars(_Console):
    """One whose lines stand above the bars that a terminal shows, ours or Lightning's.

    rich's own writes past them to the stream itself, and their next drawing erases that.
    """

    @property
    def file(self) -> IO[str]:
        """Where it writes."""
        stream = sys.stderr if self.stderr else sys.stdout
        shown = getattr(stream, "rich_proxied_file", None)
        # Lightning's bar would take along what is printed to a file, too.
        return stream if shown is not None and shown.isatty() else super().file

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file


def console(*, stderr: bool = False) -> Console:
    """A console on one of the two streams, as they are now, for lines."""
    return _AboveBars(stderr=stderr)


def bars_console() -> Console:
    """A console on standard error, for bars."""
    return _Console(stderr=True)


def say(*parts: object) -> None:
    """Print a line of the result, not wrapped and not coloured by its content.

    With `--json` it goes to standard error, where only the JSON is for standard output.
    """
    _say(parts)


def remark(*parts: object) -> None:
    """Print what is good to know and no result: dropped with `--quiet`, otherwise as `say`."""
    if not current_mode().quiet:
        _say(parts)


def show(shown: RenderableType) -> None:
    """Print a table of the result; text as a line of its own, as `say` does."""
    if isinstance(shown, str):
        say(shown)
    elif not _dropped():
        console(stderr=current_mode().json).print(shown)


def warn(*parts: object) -> None:
    """Print a warning to standard error, whatever was asked for."""
    console(stderr=True).print("warning:", *parts, style="yellow", **_AS_IT_IS)


def say_json(value: object) -> None:
    """Print JSON to standard output; numbers that are not finite are null."""
    print(json.dumps(_finite(value), indent=1, allow_nan=False))  # noqa: T201


def _say(parts: tuple[object, ...]) -> None:
    if not _dropped():
        console(stderr=current_mode().json).print(*parts, **_AS_IT_IS)


def _dropped() -> bool:
    # The result of a command is its JSON then; what it says besides is a remark.
    return current_mode() == OutputMode(quiet=True, json=True)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
