"""Pictures by a list of their places: paths and URLs."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.data.decode import UnreadableImage
from sscd.data.pictures.remote import Unreachable, join, local_path, read_url
from sscd.data.records import ImageSet
from sscd.errors import UserError


@dataclass(frozen=True, eq=False)
class ListedPictures:
    """Pictures that lie anywhere: the interface `Pictures`.

    Attributes:
        images: The pictures' names, which give their ids.
        base: The directory or URL that relative places start from.
        places: (n,) where each picture lies, as bytes.
    """

    images: ImageSet
    base: str
    places: NDArray[np.bytes_]

    @property
    def name(self) -> str:
        """What the set is called in messages."""
        return self.images.name

    @property
    def names(self) -> NDArray[np.bytes_]:
        """(n,) the pictures' names as bytes."""
        return self.images.names

    @property
    def ids(self) -> list[str]:
        """The ids of all pictures, in order."""
        return self.images.ids

    def __len__(self) -> int:
        return len(self.images)

    def id(self, index: int) -> str:
        """The unique ASCII id of picture `index`."""
        return self.images.id(index)

    def path(self, index: int) -> Path:
        """Where picture `index` lies, for messages."""
        return Path(self._place(index))

    def source(self, index: int) -> Path | bytes:
        """The file of picture `index`, or its bytes where it lies behind a URL.

        Raises:
            UnreadableImage: It cannot be had.
        """
        return read_place(self._place(index))

    def subset(self, indices: Sequence[int] | NDArray[np.integer], *, name: str = "") -> Self:
        """The pictures at `indices`, in that order, with the ids they have here."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self, images=self.images.subset(chosen, name=name), places=self.places[chosen]
        )

    def _place(self, index: int) -> str:
        return join(self.base, os.fsdecode(bytes(self.places[index])))


def read_place(place: str) -> Path | bytes:
    """A picture's file, or its bytes where it lies behind a URL.

    Raises:
        UnreadableImage: It cannot be had.
    """
    path = local_path(place)
    if path is not None:
        return path
    try:
        return read_url(place)
    except Unreachable as error:
        raise UnreadableImage(Path(place), str(error)) from error


def read_picture_list(data: bytes, *, base: str, name: str, location: str) -> ListedPictures:
    """Read a list: a path or URL on each line, relative to `base`.

    Blank lines and lines that begin with `#` are passed over, blanks around a line dropped. An id
    is a line without the extension (with it where two pictures differ in nothing else),
    percent-encoded as in `ImageSet.id`.

    Args:
        data: The file.
        base: The directory or URL that it lies in.
        name: What the set is called in messages.
        location: What the file is called in messages.

    Raises:
        UserError: It names no picture, or one twice.
    """
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    entries, numbers = [], []
    for number, line in enumerate(lines, start=1):
        entry = line.strip()
        if entry and not entry.startswith(b"#"):
            entries.append(entry.removeprefix(b"./"))
            numbers.append(number)
    if not entries:
        raise UserError(f"{location} names no picture; write a path or URL on each line")
    check_unique(entries, where=lambda row: f"line {numbers[row]}", location=location)
    images = ImageSet.from_names(name, root=Path(base), names=entries)
    return ListedPictures(images, base, images.names)


def check_unique(
    names: Sequence[bytes], *, where: Callable[[int], str], location: str, what: str = "picture"
) -> None:
    """Check that no name comes twice.

    Args:
        names: Names or ids.
        where: The place of a row, for the message.
        location: What the source is called in messages.
        what: What the names are of.

    Raises:
        UserError: One does; the message names both places.
    """
    if len(set(names)) == len(names):
        return
    first: dict[bytes, int] = {}
    for row, item in enumerate(names):
        before = first.setdefault(item, row)
        if before != row:
            shown = item.decode("utf-8", "backslashreplace")
            raise UserError(
                f"{location}: {what} {shown} is in {where(before)} and in {where(row)}; "
                "name each once"
            )
