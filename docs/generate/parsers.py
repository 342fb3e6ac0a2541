"""What a parser of arguments knows of each option, as Markdown."""

import re
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from unittest.mock import patch

from jsonargparse import ArgumentParser

_SUPPRESSED = "==SUPPRESS=="
_PLACES = {"Path": "path", "str": "text", "NoneType": "null", "bool": "true or false"}


@dataclass(frozen=True)
class Option:
    """One option of a parser.

    Attributes:
        key: Its name without dashes, with dots for sections.
        kind: What it takes, in words.
        default: As it is written in YAML; empty where there is none to state.
        meaning: One line.
        required: It must be given.
        by_place: Given by its place on the command line, not by name.
        anchor: Where links on the page lead; by default to the key.
    """

    key: str
    kind: str
    default: str
    meaning: str
    required: bool
    by_place: bool
    anchor: str = ""


class _CapturedError(Exception):
    def __init__(self, parser: ArgumentParser) -> None:
        super().__init__("a parser")
        self.parser = parser


def parser_behind(call: Callable[[], object]) -> ArgumentParser:
    """The parser that a call would parse its arguments with.

    Args:
        call: Calls `parse_args` of a parser sooner or later; it gets no further.

    Raises:
        RuntimeError: It does not.
    """

    def capture(parser: ArgumentParser, *_: Any, **__: Any) -> None:
        raise _CapturedError(parser)

    with patch.object(ArgumentParser, "parse_args", capture):
        try:
            call()
        except _CapturedError as captured:
            return captured.parser
    raise RuntimeError("no parser was asked")


def options(parser: ArgumentParser) -> Iterator[Option]:
    """The options of a parser that a person can set, in its order."""
    for action in parser._actions:
        if action.default == _SUPPRESSED or action.dest in ("help", "config", "print_config"):
            continue
        hint = getattr(action, "_typehint", None) or action.type
        by_place = not action.option_strings
        required = by_place or bool(action.required)
        yield Option(
            key=action.dest,
            kind=_kind(action.nargs, hint),
            default="" if required or action.nargs == 0 else as_yaml(action.default),
            meaning=one_line(action.help or ""),
            required=required,
            by_place=by_place,
        )


def _kind(count: int | str | None, hint: Any) -> str:
    if count == 0:
        return "switch"
    return f"list: {described_type(hint)}" if count == "+" else described_type(hint)


def listed(found: Iterable[Option], *, prefix: str = "") -> list[str]:
    """A Markdown list of definitions; `prefix` stands before what is given by name."""
    lines: list[str] = []
    for option in found:
        name = option.key.upper() if option.by_place else f"{prefix}{option.key}"
        default = f", default `{option.default}`" if option.default else ""
        lines += [
            f"`{name}`{{ #{option.anchor or option.key} }} {option.kind}{default}",
            f":   {option.meaning}",
            "",
        ]
    return lines


def described_type(hint: Any) -> str:
    """A type in words: `int`, `path or null`, `one of a, b`."""
    origin = get_origin(hint)
    if origin is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in get_args(hint))
    if origin in (Union, types.UnionType):
        members = [described_type(member) for member in get_args(hint)]
        return " or ".join(dict.fromkeys(members))
    if origin is list:
        return f"list of {described_type(get_args(hint)[0])}"
    if origin is tuple:
        inner = [member for member in get_args(hint) if member is not Ellipsis]
        return "[" + ", ".join(map(described_type, inner)) + "]"
    name = getattr(origin or hint, "__name__", None) or str(hint)
    return _PLACES.get(name, name if name in ("int", "float", "dict") else f"`{name}`")


def as_yaml(value: Any) -> str:
    """A default as it is written in a configuration."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value.as_posix() if isinstance(value, Path) else str(value) or '""'


def one_line(text: str) -> str:
    """A description as one line of Markdown, without what Sphinx alone reads."""
    text = re.sub(r":\w+:`[~.]*([^`<]+?)(?:\s*<[^`]+>)?`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"\s*Default:.*$", "", text, flags=re.DOTALL).partition("\n\n")[0]
    return re.sub(r"\s+", " ", text).strip() or "–"
