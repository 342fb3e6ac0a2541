"""Command-line arguments from a function's signature, with errors of one line."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from jsonargparse import ArgumentParser

from sscd.arguments.errors import one_line_errors
from sscd.arguments.help_format import PlainHelp
from sscd.arguments.shared import SHARED, describe_shared


def parse_function(
    function: Callable[..., object],
    arguments: list[str],
    *,
    prog: str,
    positional: Sequence[str] = (),
) -> dict[str, Any]:
    """Parse a function's arguments from a command line.

    Options may be written with dashes or underscores, `--output` as `-o`, and switches (`bool`,
    false or None by default) without a value. Lists, which have no default or None, take one value
    or more.

    Args:
        function: Typed, with a Google docstring that describes its arguments.
        arguments: What stands on the command line after the command.
        prog: The command's name in usage lines.
        positional: Arguments that are given by place, not by name.

    Returns:
        Name → value, without the options that all commands share.

    Raises:
        UserError: An unknown or missing argument, or a value of the wrong type.
    """
    parser = ArgumentParser(
        prog=prog,
        description=_summary(function),
        exit_on_error=False,
        allow_abbrev=False,
        formatter_class=PlainHelp,
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
    own = SHARED.keys() & hints.keys()  # a function may ask for them; they are not parsed here
    parser.add_function_arguments(function, as_group=False, skip={*positional, *lists, *own})
    describe_shared(parser)
    switches = {
        name for name, hint in hints.items() if hint in (bool, bool | None) and name != "return"
    }
    given = _written(arguments, names=set(hints), switches=switches)
    with one_line_errors(prog, parser):
        parsed = parser.instantiate(parser.parse_args(given))
    return {name: value for name, value in parsed.as_dict().items() if name not in SHARED}


def _written(arguments: list[str], *, names: set[str], switches: set[str]) -> list[str]:
    """The arguments as the parser knows them: with underscores, and with a value for switches."""
    result: list[str] = []
    for place, typed in enumerate(arguments):
        argument = "--output" if typed == "-o" and "output" in names else typed
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


def _summary(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").strip().splitlines()[0]


def _item(hint: Any) -> Any:
    """The type of a list's items; None where the type is no list (or list or None)."""
    for member in (hint, *get_args(hint)):
        if get_origin(member) is list:
            return get_args(member)[0]
    return None


def _descriptions(function: Callable[..., object]) -> dict[str, str]:
    from docstring_parser import parse_from_object

    return {
        parameter.arg_name: (parameter.description or "").replace("\n", " ")
        for parameter in parse_from_object(function).params
        if parameter.arg_name in inspect.signature(function).parameters
    }
