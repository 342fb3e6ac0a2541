"""Tables of edits: YAML files that give every range of every operation, each with its source.

name: phase1
about: one line
chain: {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}     # number of operations: probability
first: [crop]                               # may be left out
minimum_surviving_area: 0.15                # these three as well
minimum_share_of_picture: 0.05
minimum_contrast: 6.0
operations:
  blur:
    weight: 1.0
    source: "paper, 4.2 (pixel-level transformations)"
    radius: {value: [0.0065, 0.013], source: "paper, A.1: radius in [5, 10]"}
"""

import dataclasses
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sscd.augment.edits.catalogue import CATALOGUE
from sscd.augment.edits.chain import EditTable
from sscd.augment.edits.fields import FieldError, field_types, field_value, number, shown
from sscd.augment.edits.operation import Operation, Within
from sscd.augment.edits.strict_yaml import load_mapping
from sscd.configs import find_edits
from sscd.errors import UserError

_REQUIRED = ("name", "about", "chain", "operations")
_SHARES = ("minimum_surviving_area", "minimum_share_of_picture")
_OPTIONAL = ("first", *_SHARES, "minimum_contrast")
_SETTINGS = ("weight", "source")
_POSITIVE = Within(0.0, math.inf)


def load_table(name_or_path: str | Path) -> EditTable:
    """Read a table of edits.

    Args:
        name_or_path: A YAML file, or the name of a table that comes with sscd.

    Raises:
        UserError: There is no such table, or something in it is unknown, missing or impossible; the
            message names the file, the operation and the key.
    """
    path = find_edits(str(name_or_path))
    try:
        content = load_mapping(path)
        _check_keys(content, required=_REQUIRED, optional=_OPTIONAL)
        _text("about", content["about"])
        operations, weights = _operations(content["operations"])
        shares = {key: _number(content, key, Within(0.0, 1.0)) for key in _SHARES}
        return EditTable(
            name=_text("name", content["name"]),
            chain=checked_chain(content["chain"]),
            operations=operations,
            weights=weights,
            first=_first(content.get("first", []), operations),
            minimum_contrast=_number(content, "minimum_contrast", Within(0.0, 255.0)),
            **shares,
        )
    except FieldError as error:
        raise UserError(f"table of edits {path}: {error}") from error


def without(table: EditTable, names: Collection[str]) -> EditTable:
    """The table with some operations switched off.

    Raises:
        UserError: One is not in the table, or none would be left.
    """
    for name in names:
        if name not in table.operations:
            raise UserError(
                f"table of edits {table.name}: no operation '{name}' to switch off; "
                f"expected one of {', '.join(table.operations)}"
            )
    kept = [name for name in table.operations if name not in names]
    if not kept:
        raise UserError(f"table of edits {table.name}: every operation is switched off; leave one")
    return dataclasses.replace(
        table,
        operations={name: table.operations[name] for name in kept},
        weights={name: table.weights[name] for name in kept},
        first=tuple(name for name in table.first if name in kept),
    )


def _operations(section: object) -> tuple[dict[str, Operation], dict[str, float]]:
    if not isinstance(section, dict) or not section:
        raise FieldError(f"operations got {shown(section)}; expected a section for each operation")
    operations, weights = {}, {}
    for name, settings in section.items():
        if name not in CATALOGUE:
            known = ", ".join(CATALOGUE)
            raise FieldError(
                f"operations: unknown operation {shown(name)}; expected one of {known}"
            )
        try:
            operations[name], weights[name] = _operation(CATALOGUE[name], settings)
        except FieldError as error:
            raise FieldError(f"operation {name}: {error}") from error
    if not any(weights.values()):
        raise FieldError("operations: every weight is 0; give one a weight above 0")
    # One that is never drawn would make a chain impossible that needs as many as there are.
    drawn = [name for name in operations if weights[name] > 0]
    return {n: operations[n] for n in drawn}, {n: weights[n] for n in drawn}


def _operation(kind: type[Operation], settings: object) -> tuple[Operation, float]:
    if not isinstance(settings, dict):
        raise FieldError(f"got {shown(settings)}; expected weight, source and its parameters")
    types = field_types(kind)
    _check_keys(settings, required=(*_SETTINGS, *types))
    _text("source", settings["source"])
    weight = _number(settings, "weight", _POSITIVE)
    values = {key: _parameter(key, settings[key], types[key]) for key in types}
    try:
        return kind(**values), weight
    except ValueError as error:
        raise FieldError(str(error)) from error


def _parameter(key: str, setting: object, kind: Any) -> object:
    if not isinstance(setting, dict):
        raise FieldError(f"{key} got {shown(setting)}; expected {{value: …, source: …}}")
    try:
        _check_keys(setting, required=("value", "source"))
        _text("source", setting["source"])
        return field_value(setting["value"], kind)
    except FieldError as error:
        raise FieldError(f"{key}: {error}") from error


def checked_chain(section: object) -> dict[int, float]:
    """Check the numbers of chained operations with their probabilities.

    Raises:
        FieldError: A number is not from 1 on, or the probabilities do not add up to 1.
    """
    if not isinstance(section, dict) or not section:
        raise FieldError(f"chain got {shown(section)}; expected {{number: probability}}")
    chain = {}
    for length, probability in section.items():
        if isinstance(length, bool) or not isinstance(length, int) or length < 1:
            raise FieldError(f"chain: length got {shown(length)}; expected a whole number from 1")
        try:
            chain[length] = number(probability, Within(0.0, 1.0))
        except FieldError as error:
            raise FieldError(f"chain: probability of {length} {error}") from error
    if not math.isclose(math.fsum(chain.values()), 1.0, abs_tol=1e-9):
        total = math.fsum(chain.values())
        raise FieldError(f"chain: probabilities add up to {total:g}; make them add up to 1")
    return chain


def _first(names: object, operations: Mapping[str, Operation]) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise FieldError(f"first got {shown(names)}; expected a list of operations")
    for name in names:
        if name not in list(operations):
            raise FieldError(f"first: {shown(name)} is not one of this table's operations")
    return tuple(names)


def _check_keys(
    mapping: Mapping[Any, object], *, required: Collection[str], optional: Collection[str] = ()
) -> None:
    for key in mapping:
        if key not in (*required, *optional):
            expected = ", ".join([*required, *optional])
            raise FieldError(f"unknown key {shown(key)}; expected {expected}")
    for key in required:
        if key not in mapping:
            raise FieldError(f"'{key}' is missing; add it")


def _number(mapping: Mapping[str, object], key: str, within: Within) -> float:
    try:
        return number(mapping.get(key, 0.0), within)
    except FieldError as error:
        raise FieldError(f"{key} {error}") from error


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise FieldError(f"{key} got {shown(value)}; expected a line of text")
    return value
