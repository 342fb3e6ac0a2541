"""Command-line arguments from a function's signature, with errors of one line."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args, get_origin, get_type_hints

from jsonargparse import ArgumentError, ArgumentParser

from sscd.errors import UserError


def parse_function(
    function: Callable[..., None],
    arguments: list[str],
    *,
    prog: str,
    positional: Sequence[str] = (),
) -> dict[str, Any]:
    """Parse a function's arguments from a command line.

    Options may be written with dashes or underscores, and switches (`bool`, false by default)
    without a value. Lists, which have no default or None, take one value or more.

    Args:
        function: Typed, with a Google docstring that describes its arguments.
        arguments: What stands on the command line after the command.
        prog: The command's name in usage lines.
        positional: Arguments that are given by place, not by name.

    Raises:
        UserError: An unknown or missing argument, or a value of the wrong type.
    """
    parser = ArgumentParser(
        prog=prog, description=_summary(function), exit_on_error=False, allow_abbrev=False
    )
    hints, described = get_type_hints(function), _descriptions(function)
    lists = {name: item for name, hint in hints.items() if (item := _item(hint)) is not None}
    for name in (*positional, *(name for name in lists if name not in positional)):
        by_place = name in positional
        parser.add_argument(
            name if by_place else f"--{name}",
            type=lists.get(name, hints[name]),
            nargs="+" if name in lists else None,
            help=described.get(name),
        )
    parser.add_function_arguments(function, as_group=False, skip={*positional, *lists})
    switches = {name for name, hint in hints.items() if hint is bool and name != "return"}
    given = _written(arguments, names=set(hints), switches=switches)
    with one_line_errors(prog):
        parsed = parser.instantiate(parser.parse_args(given))
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


def _written(arguments: list[str], *, names: set[str], switches: set[str]) -> list[str]:
    """The arguments as the parser knows them: with underscores, and with a value for switches."""
    result: list[str] = []
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        name = option[2:].replace("-", "_")
        if not option.startswith("--") or name not in names:
            result.append(argument)
            continue
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        if name in switches and not equals and following.lower() not in ("true", "false"):
            equals, value = "=", "true"
        result.append(f"--{name}{equals}{value}")
    return result


def _summary(function: Callable[..., None]) -> str:
    return (function.__doc__ or "").strip().splitlines()[0]


def _item(hint: Any) -> Any:
    """The type of a list's items; None where the type is no list (or list or None)."""
    for member in (hint, *get_args(hint)):
        if get_origin(member) is list:
            return get_args(member)[0]
    return None


def _descriptions(function: Callable[..., None]) -> dict[str, str]:
    from docstring_parser import parse_from_object

    return {
        parameter.arg_name: (parameter.description or "").replace("\n", " ")
        for parameter in parse_from_object(function).params
        if parameter.arg_name in inspect.signature(function).parameters
    }
