"""What is known of the model in the box beside what its file says, read from `facts.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """Pictures that it was trained on, and whom they are owed to.

    Attributes:
        title: Of the collection.
        authors: Who made it.
        year: When it was published.
        publisher: Where.
        address: Its persistent address.
        licence: Of the pictures.
        licence_address: Where that can be read.
        use: Which of the pictures were used for what, and how they were changed.
    """

    title: str
    authors: str
    year: int
    publisher: str
    address: str
    licence: str
    licence_address: str
    use: str


@dataclass(frozen=True)
class SystemFigures:
    """How one system did on the test benchmark.

    Attributes:
        name: What people call it.
        micro_ap: Micro-AP.
        recall_at_p90: Recall at 90 % precision.
        ahead: How much more micro-AP the model has; None for the model itself.
        low: Lower end of the paired 95 % interval of that, over queries.
        high: Upper end.
    """

    name: str
    micro_ap: float
    recall_at_p90: float
    ahead: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class BoxFacts:
    """What the card of the model in the box says that its file does not.

    Attributes:
        about: What it is, in a sentence.
        training: How it was trained, in paragraphs.
        source: The photographs.
        benchmark: What the figures were measured on.
        systems: The figures, the model's own first.
        thresholds: What the thresholds were learnt on.
        speed: Pictures a second, with hardware and date.
        not_for: What it must not be used for.
        limits: Where it fails.
    """

    about: str
    training: tuple[str, ...]
    source: Source
    benchmark: str
    systems: tuple[SystemFigures, ...]
    thresholds: str
    speed: str
    not_for: tuple[str, ...]
    limits: tuple[str, ...]


def read_facts(path: Path) -> BoxFacts:
    """Read `facts.json`.

    Raises:
        ValueError: It is no such file, or a fact is missing, empty, or of another kind.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: {error}; expected JSON") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path}: got a {type(values).__name__}; expected a table")
    try:
        texts = {key: _text(values, key) for key in ("about", "benchmark", "thresholds", "speed")}
        lists = {key: _texts(values, key) for key in ("training", "not_for", "limits")}
        source = Source(**values["source"])
        _text(values["source"], "use")
        systems = tuple(SystemFigures(**each) for each in values["systems"])
    except KeyError as error:
        raise ValueError(f"{path} has no {error}; expected every fact of a card") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not systems:
        raise ValueError(f"{path}: systems is empty; expected the model's own figures first")
    return BoxFacts(**texts, **lists, source=source, systems=systems)  # type: ignore[arg-type]


def _text(values: Mapping[str, Any], key: str) -> str:
    if not isinstance(values[key], str) or not values[key].strip():
        raise ValueError(f"{key} got {values[key]!r}; expected a text")
    return str(values[key])


def _texts(values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = values[key]
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{key} got {found!r}; expected a list of texts")
    return tuple(found)
