"""The options that every command has, wherever they stand on its line."""

from collections.abc import Sequence
from typing import Protocol

from sscd.errors import UserError
from sscd.terminal import OutputMode

SHARED = {
    "quiet": "No progress and no remarks; results, warnings and errors stay.",
    "json": "Print the result as one JSON object, and nothing else on standard output.",
}
"""Name → help."""


class _Parser(Protocol):
    def add_argument(self, *args: str, action: str, help: str) -> object:  # noqa: A002
        """Add an option, as argparse does."""
        ...


def split_shared(arguments: Sequence[str]) -> tuple[OutputMode, list[str]]:
    """Take `--quiet` and `--json` from a command line; each may be given as `--json true`.

    Returns:
        What they ask for, and the other arguments.

    Raises:
        UserError: One of them has another value.
    """
    values = dict.fromkeys(SHARED, False)
    others: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        option, equals, value = argument.partition("=")
        name = option.removeprefix("--")
        if argument == "--":
            others += [argument, *waiting]
            break
        if not option.startswith("--") or name not in SHARED:
            others.append(argument)
            continue
        if not equals and waiting and waiting[0].lower() in ("true", "false"):
            value = waiting.pop(0)
        if value.lower() not in ("", "true", "false"):
            raise UserError(f"{argument}: {option} is a switch; give it alone, or true or false")
        values[name] = value.lower() != "false"
    return OutputMode(**values), others


def describe_shared(parser: _Parser) -> None:
    """Let a parser's help name the options, which are taken before it parses."""
    for name, text in SHARED.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)


def shared_help() -> list[str]:
    """The options, each with its help, for parsers that cannot hold them."""
    return [f"--{name}: {text[0].lower()}{text[1:]}" for name, text in SHARED.items()]
