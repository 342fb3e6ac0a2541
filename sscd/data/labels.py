"""Classes of training pictures: the folders they lie in, or a table."""

import csv
import hashlib
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sscd.data.records import Pictures
from sscd.errors import UserError
from sscd.terminal import remark

HEADER = ("picture", "class")


@dataclass(frozen=True, eq=False)
class Labels:
    """The class of each picture of a set.

    Attributes:
        names: Of the classes, sorted.
        of_picture: (n,) int64, the class of each picture as its place in `names`.
    """

    names: tuple[str, ...]
    of_picture: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """64 bits of the classes' names, in order; 16 hexadecimal digits."""
        text = "\0".join(self.names)
        return hashlib.blake2b(os.fsencode(text), digest_size=8).hexdigest()


def labels_of(pictures: Pictures, table: Path | None) -> Labels:
    """The classes of a set of pictures.

    Args:
        pictures: The set.
        table: A CSV file of `picture,class` lines, its header optional: a picture is named by its
            relative path, with its extension or without, or by its id. None takes the first folder
            of each relative path for the class.

    Raises:
        UserError: The file cannot be read or is malformed, a picture has no class, or there are
            fewer than two.
    """
    classes = _by_folder(pictures) if table is None else _by_table(pictures, table)
    names = tuple(sorted(set(classes)))
    if len(names) < 2:
        where = f"{table}" if table else "the folders of the training pictures"
        found = f"one class alone, {names[0]}" if names else "no class"
        raise UserError(
            f"model.classification needs two classes at least, and {where} have {found}; give "
            "pictures in folders of their classes, or data.labels FILE"
        )
    place = {name: index for index, name in enumerate(names)}
    return Labels(names, np.array([place[name] for name in classes], dtype=np.int64))


def _by_folder(pictures: Pictures) -> list[str]:
    classes = [
        os.fsdecode(name.split(b"/")[0]) if b"/" in name else "" for name in _names(pictures)
    ]
    _check_complete(
        pictures,
        classes,
        "lie in no folder that could name their class",
        "sort them into a folder a class, or give data.labels FILE",
    )
    return classes


def _by_table(pictures: Pictures, table: Path) -> list[str]:
    given = _read(table)
    used: set[str] = set()
    classes = []
    for index, name in enumerate(_names(pictures)):
        path = os.fsdecode(name)
        keys = (path, posixpath.splitext(path)[0], pictures.id(index))
        key = next((key for key in keys if key in given), None)
        classes.append("" if key is None else given[key])
        if key is not None:
            used.add(key)
    _check_complete(
        pictures, classes, f"have no class in {table}", "add lines of picture,class for them"
    )
    if strange := len(given) - len(used):
        remark(f"{strange:,} of {len(given):,} pictures in {table} are no training pictures")
    return classes


def _names(pictures: Pictures) -> list[bytes]:
    names: list[bytes] = pictures.names.tolist()
    return names


def _check_complete(pictures: Pictures, classes: Sequence[str], lack: str, advice: str) -> None:
    missing = [index for index, name in enumerate(classes) if not name]
    if missing:
        raise UserError(
            f"{len(missing):,} of {len(classes):,} training pictures {lack}, "
            f"{pictures.path(missing[0])} the first; {advice}"
        )


def _read(table: Path) -> dict[str, str]:
    given: dict[str, str] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if not row or (number == 1 and tuple(cell.lower() for cell in row) == HEADER):
                    continue
                if len(row) != 2 or not all(cell.strip() for cell in row):
                    raise UserError(f"{table}, line {number}: expected picture,class")
                picture, name = (cell.strip() for cell in row)
                if given.setdefault(picture, name) != name:
                    raise UserError(
                        f"{table}, line {number}: {picture} is {given[picture]} on an earlier "
                        f"line and {name} here; keep one"
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"data.labels {table} cannot be read ({reason}); give a CSV file of picture,class"
        ) from error
    return given
