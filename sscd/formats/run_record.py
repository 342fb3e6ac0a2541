"""What the challenge asks of a run (DISC21 paper, section 6.5): its time, memory and making.

It is kept as attributes of the descriptor file, and as JSON beside it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sscd.errors import UserError
from sscd.files import atomic_path
from sscd.formats.track2.hdf5 import Attribute, attributes_of, reading_hdf5


@dataclass(frozen=True)
class ModelRecord:
    """The network of a run.

    Attributes:
        backbone: Its name.
        dims: Length of its descriptor, before post-processing.
        fingerprint: Of architecture and weights.
    """

    backbone: str
    dims: int
    fingerprint: str


@dataclass(frozen=True)
class RunRecord:
    """How descriptors were made, and at what price.

    Attributes:
        seconds_a_picture: Reading and describing, on average, in seconds of wall time; None where
            all had been described before.
        pictures: How many were described.
        hardware: What it ran on, for people.
        peak_cpu_bytes: Largest memory in use; None where the system does not tell.
        peak_gpu_bytes: Largest memory of a GPU in use; None where there was none.
        model: The network.
        recipe: How it was trained, in plain values; others are kept as text.
        preprocessing: How pictures were resized, as in `288 short_side`.
        postprocessing: What was applied to descriptors, a line a step, in order.
        versions: Of `sscd`, `torch` and `python`.
        date: When the run ended, UTC, ISO 8601.
    """

    seconds_a_picture: float | None
    pictures: int
    hardware: str
    peak_cpu_bytes: int | None
    peak_gpu_bytes: int | None
    model: ModelRecord
    recipe: Mapping[str, Any]
    preprocessing: str
    postprocessing: tuple[str, ...]
    versions: Mapping[str, str]
    date: str


_FIELDS = tuple(field.name for field in fields(RunRecord))
_OPTIONAL = ("seconds_a_picture", "peak_cpu_bytes", "peak_gpu_bytes")
_NESTED = ("model", "recipe", "postprocessing", "versions")


def record_attributes(record: RunRecord) -> dict[str, Attribute]:
    """A record as attributes of a file's root: nested values as JSON, none for what is None."""
    values = asdict(record)
    nested = {name: _json(values[name]) for name in _NESTED}
    return {name: value for name, value in {**values, **nested}.items() if value is not None}


def record_path(path: Path) -> Path:
    """Where the record of a file lies: `track2.h5` → `track2.h5.json`."""
    return path.with_name(f"{path.name}.json")


def write_record(path: Path, record: RunRecord) -> Path:
    """Write a record as JSON beside a descriptor file.

    Args:
        path: The descriptor file.
        record: How it was made.

    Returns:
        Where the JSON is.

    Raises:
        UserError: It cannot be written.
    """
    with atomic_path(record_path(path)) as temporary:
        temporary.write_text(_json(asdict(record), indent=2) + "\n", encoding="utf-8")
    return record_path(path)


def read_record(path: Path) -> RunRecord:
    """Read a record, out of a descriptor file's attributes or out of the JSON beside one.

    Args:
        path: The HDF5 file, or a file whose name ends in `.json`.

    Raises:
        UserError: The file cannot be read or holds no record; the message names the field.
    """
    if path.suffix == ".json":
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"cannot read the record {path}: {error}; export again") from error
        return _build(path, values)
    with reading_hdf5(path) as handle:
        values = dict(attributes_of(handle))
    for name in _NESTED:
        try:
            values[name] = json.loads(values.get(name, ""))
        except (ValueError, TypeError, RecursionError) as error:
            raise UserError(f"{path}: no record of a run: attribute {name}: {error}") from error
    return _build(path, values)


def _json(value: Any, *, indent: int | None = None) -> str:
    """JSON that never fails at the end of a long run: what is not plain is written as text."""
    return json.dumps(_plain(value), indent=indent, default=str, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _build(path: Path, values: Any) -> RunRecord:
    try:
        known = {name: values.get(name) for name in _FIELDS}
        known["model"] = ModelRecord(**known["model"])
        known["postprocessing"] = tuple(known["postprocessing"])
        lacking = [name for name in _FIELDS if known[name] is None and name not in _OPTIONAL]
    except (AttributeError, TypeError) as error:
        raise UserError(f"{path}: no record of a run: {error}; export again") from error
    if lacking:
        raise UserError(f"{path}: no record of a run: {lacking[0]} is missing; export again")
    return RunRecord(**known)
