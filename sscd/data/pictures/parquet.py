"""Pictures whose bytes lie in the rows of Parquet files."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sscd.data.decode import UnreadableImage
from sscd.data.pictures.path_list import read_place
from sscd.data.pictures.remote import join
from sscd.data.pictures.table_rows import RowCursor
from sscd.data.records import ImageSet


@dataclass(frozen=True, eq=False)
class ParquetPictures:
    """Pictures whose bytes lie in Parquet files: the interface `Pictures`.

    Attributes:
        images: The pictures' names, which give their ids.
        cursors: What reads each file.
        file: (n,) int32, which file a picture is in.
        row: (n,) int64, its row there.
    """

    images: ImageSet
    cursors: tuple[RowCursor, ...]
    file: NDArray[np.int32]
    row: NDArray[np.int64]

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
        """Where picture `index` lies, for messages: the file, and the row in it."""
        return Path(self.cursors[self.file[index]].place, f"row {self.row[index]}")

    def source(self, index: int) -> Path | bytes:
        """The bytes of picture `index`, or its file where the row names one and holds no bytes.

        Raises:
            UnreadableImage: It cannot be had.
        """
        cursor = self.cursors[self.file[index]]
        try:
            value = cursor[int(self.row[index])]
        except Exception as error:  # damaged files make Arrow raise many things
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise UnreadableImage(self.path(index), f"row cannot be read: {reason}") from error
        fields = value if isinstance(value, dict) else {"bytes": value}
        if data := fields.get("bytes"):
            return bytes(data)
        if place := fields.get("path"):
            return read_place(join(posixpath.dirname(cursor.place), str(place)))
        raise UnreadableImage(self.path(index), "no picture in this row")

    def subset(self, indices: Sequence[int] | NDArray[np.integer], *, name: str = "") -> Self:
        """The pictures at `indices`, in that order, with the ids they have here."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            images=self.images.subset(chosen, name=name),
            file=self.file[chosen],
            row=self.row[chosen],
        )
