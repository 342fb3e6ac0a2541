"""Command-line arguments from a function's signature, with errors of one line."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser

from sscd.errors import UserError


def parse_function(
    function: Callable[..., None], arguments: list[str], *, prog: str, positional: bool = False
) -> dict[str, Any]:
    """Parse a function's arguments from a command line.

    Args:
        function: Typed, with a Google docstring that describes its arguments.
        arguments: What stands on the command line after the command.
        prog: The command's name in usage lines.
        positional: Arguments without a default are given by place, not by name.

    Raises:
        UserError: An unknown or missing argument, or a value of the wrong type.
    """
    parser = ArgumentParser(
        prog=prog, description=_summary(function), exit_on_error=False, allow_abbrev=False
    )
    parser.add_function_arguments(function, as_group=False, as_positional=positional)
    with one_line_errors(prog):
        parsed = parser.instantiate(parser.parse_args(arguments))
    return dict(parsed.as_dict())


@contextmanager
def one_line_errors(prog: str) -> Iterator[None]:
    """Turn a parser's error, which may be a page, to one line that names the key.

    Raises:
        UserError: In place of the parser's error.
    """
    try:
        yield
    except ArgumentError as error:
        raise UserError(f"{shorten(str(error))} (`{prog} --help` lists the options)") from error


def shorten(message: str) -> str:
    """The first three lines of a parser's message, which say what and where, as one."""
    lines = [line.strip(" -\t:") for line in message.splitlines() if line.strip()]
    return re.sub(r"\s+", " ", ": ".join(lines[:3]))


def _summary(function: Callable[..., None]) -> str:
    return (function.__doc__ or "").strip().splitlines()[0]
