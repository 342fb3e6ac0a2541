"""What the data room hands out: sets of pictures by name, and the four parts of a collection."""

import os
import posixpath
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import quote_from_bytes

import numpy as np
from numpy.typing import NDArray

from sscd.data.ground_truth import GroundTruth
from sscd.data.stable_hash import stable_fractions

# Printable ASCII that a CSV line and a percent-encoding leave alone.
_SAFE = "".join(c for c in string.punctuation if c not in '%,"')


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures under one directory, in a fixed order.

    The names lie in one array of fixed width, so that worker processes share its memory instead of
    copying a million Python strings.

    Attributes:
        name: What the set is called in messages, for example `references`.
        root: The directory that the names are relative to.
        names: (n,) relative POSIX paths as bytes (`os.fsencode`).
        keeps_extension: (n,) whether the id of a picture needs the extension to be unique.
    """

    name: str
    root: Path
    names: NDArray[np.bytes_]
    keeps_extension: NDArray[np.bool_]

    @classmethod
    def from_names(cls, name: str, *, root: Path, names: Iterable[str | bytes]) -> Self:
        """Make a set out of relative POSIX paths, kept in the order given.

        Raises:
            ValueError: A name is given twice.
        """
        encoded = [os.fsencode(n) for n in names]
        if len(set(encoded)) != len(encoded):
            raise ValueError(f"the names of image set {name!r} repeat; expected each once")
        array = np.array(encoded, dtype=np.bytes_) if encoded else np.empty(0, dtype="S1")
        return cls(name=name, root=root, names=array, keeps_extension=_needs_extension(encoded))

    def __len__(self) -> int:
        return len(self.names)

    def path(self, index: int) -> Path:
        """Where picture `index` lies."""
        return self.root / os.fsdecode(bytes(self.names[index]))

    def source(self, index: int) -> Path:
        """Where picture `index` is read from."""
        return self.path(index)

    def id(self, index: int) -> str:
        """The unique ASCII id of picture `index`.

        It is the relative path without its extension (with it where two pictures differ in nothing
        else); non-ASCII bytes, blanks, `%`, `,` and `"` are percent-encoded.
        """
        return _encode(bytes(self.names[index]), with_extension=bool(self.keeps_extension[index]))

    @property
    def ids(self) -> list[str]:
        """The ids of all pictures, in order; made anew at each call, for a million take memory."""
        pairs = zip(self.names.tolist(), self.keeps_extension.tolist(), strict=True)
        return [_encode(name, with_extension=keeps) for name, keeps in pairs]

    def subset(self, indices: Sequence[int] | NDArray[np.integer], *, name: str = "") -> Self:
        """The pictures at `indices`, in that order, with the ids they have here."""
        chosen = np.asarray(indices, dtype=np.int64)
        return type(self)(
            name=name or self.name,
            root=self.root,
            names=self.names[chosen],
            keeps_extension=self.keeps_extension[chosen],
        )

    def take(self, ids: Sequence[str]) -> Self:
        """The pictures with these ids, in that order.

        Raises:
            ValueError: An id is not in the set.
        """
        position = {image_id: index for index, image_id in enumerate(self.ids)}
        unknown = [image_id for image_id in ids if image_id not in position]
        if unknown:
            raise ValueError(
                f"got id {unknown[0]!r} ({len(unknown)} such); expected ids of {self.name}"
            )
        return self.subset([position[image_id] for image_id in ids])


class Pictures(Protocol):
    """Pictures that can be read one by one: an `ImageSet`, or the members of shards."""

    @property
    def name(self) -> str:
        """What the set is called in messages."""
        ...

    @property
    def names(self) -> NDArray[np.bytes_]:
        """(n,) relative POSIX paths as bytes."""
        ...

    @property
    def ids(self) -> list[str]:
        """The ids of all pictures, in order."""
        ...

    def __len__(self) -> int:
        """How many."""
        ...

    def id(self, index: int) -> str:
        """The unique ASCII id of picture `index`."""
        ...

    def path(self, index: int) -> Path:
        """Where picture `index` lies, for messages."""
        ...

    def source(self, index: int) -> Path | bytes:
        """The file of picture `index`, or its bytes.

        Raises:
            UnreadableImage: It cannot be had.
        """
        ...

    def subset(self, indices: Sequence[int] | NDArray[np.integer], *, name: str = "") -> Self:
        """The pictures at `indices`, in that order, with the ids they have here."""
        ...


@dataclass(frozen=True, eq=False)
class Collection:
    """The parts that training and validation need, wherever the pictures come from.

    Attributes:
        training: Pictures to learn from, in files or shards; empty where a collection is only
            evaluated on.
        references: Pictures that are searched.
        queries: Pictures that are looked for: edited copies of references, and distractors.
        truth: Which query is a copy of which reference.
        left_out: One line a reason, for people: what was counted and not used.
        unreadable: (path, reason) of the pictures that are known to be unreadable.
        edits: The file that says how each query was made (`edits.jsonl`); None where there is none.
    """

    training: Pictures
    references: ImageSet
    queries: ImageSet
    truth: GroundTruth
    left_out: tuple[str, ...] = ()
    unreadable: tuple[tuple[Path, str], ...] = ()
    edits: Path | None = None

    def limit_training(self, limit: int | None) -> Self:
        """The same with at most `limit` training pictures, chosen by a stable hash of the name."""
        if limit is not None and limit < 1:
            raise ValueError(f"max_training got {limit}; expected at least 1")
        if limit is None or len(self.training) <= limit:
            return self
        order = np.argsort(stable_fractions(self.training.names.tolist(), salt="limit training"))
        chosen = np.sort(order[:limit])
        line = f"{len(self.training) - limit:,} of {len(self.training):,} training pictures"
        return replace(
            self,
            training=self.training.subset(chosen),
            left_out=(*self.left_out, f"{line} are over the limit"),
        )


def _encode(name: bytes, *, with_extension: bool) -> str:
    kept = name if with_extension else posixpath.splitext(name)[0]
    return quote_from_bytes(kept, safe=_SAFE)


def _needs_extension(names: list[bytes]) -> NDArray[np.bool_]:
    """Mark the names that clash without their extension, until no two ids are equal."""
    keeps = np.zeros(len(names), dtype=bool)
    ids = [posixpath.splitext(name)[0] for name in names]
    while len(set(ids)) < len(ids):
        first: dict[bytes, int] = {}
        for index, image_id in enumerate(ids):
            other = first.setdefault(image_id, index)
            if other != index:
                keeps[[other, index]] = True
        ids = [names[i] if keeps[i] else image_id for i, image_id in enumerate(ids)]
    return keeps
