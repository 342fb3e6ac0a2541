"""The values of an operation's fields, held against their types and bounds."""

import dataclasses
import math
import reprlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from sscd.augment.edits.operation import Operation, Within


class FieldError(Exception):
    """What is wrong with a value, as the end of a message that names the file and the key."""


def field_types(operation: type[Operation]) -> dict[str, Any]:
    """The type of each field of an operation, with its bounds."""
    hints = get_type_hints(operation, include_extras=True)
    fields = dataclasses.fields(operation)  # type: ignore[arg-type]  # a protocol cannot say so
    return {field.name: hints[field.name] for field in fields}


def field_value(value: object, kind: Any) -> object:
    """A value from YAML as a field takes it.

    Args:
        value: As `yaml.safe_load` gave it.
        kind: One of the kinds of fields that `Operation` speaks of.

    Raises:
        FieldError: It is not of that kind, or out of bounds.
        TypeError: A field of another kind, which tables cannot fill.
    """
    within = None
    if get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        within = next((note for note in notes if isinstance(note, Within)), None)
    if kind in (float, int):
        return number(value, within, whole=kind is int)
    parts = get_args(kind)
    if get_origin(kind) is tuple and parts in ((float, float), (int, int)):
        return _span(value, within, whole=parts[0] is int)
    if get_origin(kind) is tuple and parts[1:] == (...,):
        return _names(value, get_args(parts[0]) if get_origin(parts[0]) is Literal else ())
    raise TypeError(f"kind got {kind}; expected a range, a number or a tuple of strings")


def number(value: object, within: Within | None = None, *, whole: bool = False) -> float:
    """A finite number within bounds.

    Raises:
        FieldError: It is not one.
    """
    expected = _described(within, "a whole number" if whole else "a number")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise FieldError(f"got {shown(value)}; expected {expected}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        finite = False
    if not finite or (within and not within.low <= value <= within.high):
        raise FieldError(f"got {shown(value)}; expected {expected}")
    return value if whole else float(value)


def shown(value: object) -> str:
    """A value as a message shows it, short."""
    return reprlib.repr(value)


def _span(value: object, within: Within | None, *, whole: bool) -> tuple[float, float]:
    expected = _described(within, "whole numbers" if whole else "numbers")
    if not isinstance(value, list) or len(value) != 2:
        raise FieldError(f"got {shown(value)}; expected [lowest, highest], {expected}")
    low, high = (number(end, within, whole=whole) for end in value)
    if low > high:
        raise FieldError(f"got {shown(value)}; expected the lower number first")
    return low, high


def _names(value: object, known: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise FieldError(f"got {shown(value)}; expected a list of strings")
    for one in value:
        if not isinstance(one, str) or not one or (known and one not in known):
            expected = f"one of {', '.join(known)}" if known else "a string"
            raise FieldError(f"got {shown(one)}; expected {expected}")
    return tuple(value)


def _described(within: Within | None, what: str) -> str:
    return f"{what} from {within.low:g} to {within.high:g}" if within else what
