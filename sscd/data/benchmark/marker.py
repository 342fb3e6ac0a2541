"""The files that say which benchmark a directory holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sscd.data.benchmark.plan import SPLITS
from sscd.data.disc21 import QUERY_DIRECTORIES
from sscd.errors import UserError


def read_json(path: Path) -> dict[str, Any]:
    """The mapping that a file holds.

    Raises:
        UserError: It cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); remove {path.parent}") from error
    if not isinstance(content, dict):
        raise _foreign(path)
    return content


def read_section(path: Path, key: str) -> dict[str, Any]:
    """A mapping within the mapping that a file holds.

    Raises:
        UserError: It cannot be read, or there is none.
    """
    section = read_json(path).get(key)
    if not isinstance(section, dict):
        raise _foreign(path)
    return section


def read_sizes(path: Path) -> dict[str, int]:
    """Directory → how many pictures were written to it, by the marker of a finished benchmark.

    Raises:
        UserError: The marker does not say it.
    """
    made: Mapping[str, Any] = read_section(path, "made")
    try:
        sizes = {"references": int(made["references"]), "train": int(made["training"])}
        for split in SPLITS:
            phase = made[split]
            sizes[QUERY_DIRECTORIES[split][0]] = int(phase["copies"]) + int(phase["distractors"])
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign(path) from error
    return sizes


def _foreign(path: Path) -> UserError:
    return UserError(f"{path} is no benchmark's; give a directory that is empty or not there")
