"""What differs between the benchmark that a directory holds and the one that is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sscd.data.benchmark.provenance import PICTURES, TIMES, VERSION
from sscd.errors import UserError

# The digest of a table counts, not where it lies; these only name it.
_PATHS = {"dev": "dev_edits", "test": "test_edits"}

Description = Mapping[str, Any]


def changes(before: Description, now: Description, *, photos: Path) -> list[str]:
    """Say what differs between two descriptions, each difference in a few words.

    Args:
        before: What was asked for, from a file.
        now: What is asked for, with plain JSON values.
        photos: The folder of `now`.

    Returns:
        Empty where the same command may go on.
    """
    found = [*_options(before, now), *_tables(before, now)]
    if any(before.get(key) != now.get(key) for key in (PICTURES, TIMES)):
        found.append(pictures_changed(photos))
    if before.get(VERSION) != now.get(VERSION):
        found.append(
            "the way sscd makes benchmarks changed since "
            f"(version {before.get(VERSION)}, now {now.get(VERSION)})"
        )
    old, new = _section(before, "versions"), _section(now, "versions")
    found += [
        f"{name} was {old.get(name, 'not installed')}, is now {new.get(name, 'not installed')}"
        for name in {**new, **old}
        if old.get(name) != new.get(name)
    ]
    return list(dict.fromkeys(found))


def pictures_changed(photos: Path) -> str:
    """What is said of a folder that is no longer the same."""
    return f"the pictures of {photos} changed since"


def refusal(out: Path, found: Sequence[str], *, what: str) -> UserError:
    """The error for a directory that cannot be gone on with, in one line.

    Args:
        out: The directory.
        found: Differences, at least one.
        what: What is the matter with the directory, as in `was made otherwise`.
    """
    return UserError(f"{out} {what}: {', '.join(found)}; give another directory, or remove {out}")


def _options(before: Description, now: Description) -> Iterator[str]:
    apart = {*_PATHS.values(), "tables", "versions", PICTURES, TIMES, VERSION}
    for key in {**now, **before}:
        if key not in apart and before.get(key) != now.get(key):
            yield f"--{key} was {_shown(before.get(key))}, is now {_shown(now.get(key))}"


def _tables(before: Description, now: Description) -> Iterator[str]:
    old, new = _section(before, "tables"), _section(now, "tables")
    for key in {**new, **old}:
        # A share that came or went, and operations left out, are named as options.
        if old.get(key) == new.get(key) or before.get(key) != now.get(key):
            continue
        was, name = (str(table).rpartition(" ")[0] for table in (old.get(key), new.get(key)))
        if was != name and key in _PATHS:
            paths = [str(side.get(_PATHS[key])) for side in (before, now)]
            yield f"--{_PATHS[key]} was {_named(was, paths[0])}, is now {_named(name, paths[1])}"
        elif before.get("leave_out") == now.get("leave_out"):
            path = str(now.get(_PATHS[key])) if key in _PATHS else name
            yield f"table {_named(name or key, path)} changed since"


def _named(name: str, path: str) -> str:
    return name if path == name else f"{name} ({path})"


def _section(description: Description, key: str) -> Mapping[str, Any]:
    section = description.get(key)
    return section if isinstance(section, dict) else {}


def _shown(value: object) -> str:
    if value is None or value == []:
        return "not given"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
