"""A parser's errors in plain words: the key, the value, what was expected, and what was meant."""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jsonargparse import ArgumentError, ArgumentParser

from sscd.errors import UserError, meant

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "NoneType": "null",
    "list": "a list",
    "tuple": "a list",
    "dict": "a section of settings",
    "Path": "a path",
}
_REQUIRED = "the following arguments are required: "
_KEY = re.compile(r'Parser key "([^"]+)"')
_GOT = re.compile(r"(?:Got value|Given value): (.*)$", re.MULTILINE)
_UNKNOWN_KEY = re.compile(r"does not accept option '([^']+)'")
_NO_VALUE = re.compile(r"argument (\S+): expected (?:one|at least one) argument")
_EXPECTED = re.compile(
    r"Expected an? (<class '[^']+'>|typing\.Literal\[.*?\](?=$|\.|\s)|tuple with \d+ elements)"
)


@contextmanager
def one_line_errors(prog: str, parser: ArgumentParser | None = None) -> Iterator[None]:
    """Turn a parser's error, which may be a page, to one line that names the key.

    Args:
        prog: The command, for the advice at the line's end.
        parser: Whose options an unknown one is likened to; None where none are known.

    Raises:
        UserError: In place of the parser's error.
    """
    try:
        yield
    except ArgumentError as error:
        line = in_plain_words(str(error), options=options_of(parser) if parser else ())
        raise UserError(f"{line} (`{prog} --help` lists the options)") from error


def options_of(parser: ArgumentParser) -> list[str]:
    """The options of a parser, with their dashes."""
    return [option for action in parser._actions for option in action.option_strings]


def in_plain_words(message: str, *, options: Iterable[str] = ()) -> str:
    """A parser's message as one line.

    Args:
        message: Of jsonargparse or argparse.
        options: Those that there are, with their dashes.

    >>> in_plain_words("unrecognized arguments: --siz 3", options=["--size"])
    '--siz is no option; did you mean --size?'
    """
    known = list(options)
    if message.startswith(_REQUIRED):
        names = message.removeprefix(_REQUIRED).split(", ")
        lacking = [f"--{name}" if f"--{name}" in known else name for name in names]
        return _REQUIRED + ", ".join(lacking)
    if message.startswith("unrecognized arguments: "):
        return _unknown_argument(message.removeprefix("unrecognized arguments: "), known)
    if found := _UNKNOWN_KEY.search(message):
        guess = meant(f"--{found[1]}", known).replace("--", "")
        return f"the configuration sets {found[1]}, which is no setting{guess}"
    if found := _NO_VALUE.fullmatch(message):
        return f"{found[1]} has no value; give one after it"
    key, got, expected = _KEY.search(message), _GOT.search(message), _expectations(message)
    if key and got and expected:
        guess = meant(got[1], _choices(message))
        return f"{key[1]} got {got[1]}; expected {' or '.join(expected)}{guess}"
    return shorten(message)


def shorten(message: str) -> str:
    """The first three lines of a parser's message, which say what and where, as one."""
    lines = [line.strip(" -\t:") for line in message.splitlines() if line.strip()]
    return re.sub(r"\s+", " ", ": ".join(lines[:3]))


def _unknown_argument(given: str, known: list[str]) -> str:
    option = given.split(maxsplit=1)[0].partition("=")[0]
    if not option.startswith("-"):
        return f"unrecognized arguments: {given}"
    return f"{option} is no option{meant(option, known)}"


def _expectations(message: str) -> list[str]:
    """What was expected, in words, each once; choices come last, as one list."""
    found: list[str] = []
    for kind in _EXPECTED.findall(message):
        if kind.startswith("<class"):
            name = kind[len("<class '") : -2].rpartition(".")[2]
            found.append(_KINDS.get(name, f"a {name}"))
        elif kind.startswith("tuple"):
            found.append("a list of " + " ".join(kind.split()[2:]))
    if choices := _choices(message):
        found.append(f"one of {', '.join(choices)}")
    return list(dict.fromkeys(found))


def _choices(message: str) -> list[str]:
    kinds = [kind for kind in _EXPECTED.findall(message) if kind.startswith("typing")]
    literals = [ast.literal_eval(kind.removeprefix("typing.Literal")) for kind in kinds]
    return list(dict.fromkeys(str(choice) for literal in literals for choice in literal))
