"""Descriptors without a network: worker processes read pictures, this one finishes many at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.descriptors import Descriptors, Origin
from sscd.data.hardware import cpu
from sscd.data.parallel import parallel_map
from sscd.data.records import Pictures
from sscd.data.skipped import SkipLog
from sscd.errors import UserError

Read: TypeAlias = Callable[[Image.Image], NDArray[Any]]
"""A module-level function, picture → a small array, always of one shape."""

Finish: TypeAlias = Callable[[NDArray[Any]], NDArray[np.float32]]
"""(B, …) of what was read → (B, D)."""

_BATCH = 256


class _Unreadable(NamedTuple):
    reason: str


class _Source(NamedTuple):
    """A file, its bytes, or why there are none; and what it is called."""

    source: Path | bytes | _Unreadable
    name: str


@dataclass(frozen=True)
class PictureDescriber:
    """Turns pictures to descriptors by two plain functions, and logs what it could not read.

    Attributes:
        read: What workers do to a decoded picture.
        finish: What this process does to many.
        workers: Processes that decode and read; with 0 or 1 all happens in this one.
        origin: What the descriptors say of their making.
        skipped: What could not be read so far.
    """

    read: Read
    finish: Finish
    workers: int
    origin: Origin = field(default_factory=Origin)
    skipped: SkipLog = field(default_factory=SkipLog)

    @property
    def hardware(self) -> str:
        """What it runs on."""
        return cpu(max(self.workers, 1), "process")

    def __call__(self, pictures: Pictures) -> Descriptors:
        """Describe a set, with a progress bar; unreadable pictures are logged and left out.

        Raises:
            UserError: No picture of the set can be read.
        """
        ids: list[str] = []
        vectors = np.empty((0, 0), np.float32)
        rows = self._rows(pictures)
        while batch := list(islice(rows, _BATCH)):
            done = self.finish(np.stack([row for _, row in batch]))
            if not ids:  # one array for all: a million of GIST's take 3.8 GB, and twice no more
                vectors = np.empty((len(pictures), done.shape[1]), np.float32)
            vectors[len(ids) : len(ids) + len(done)] = done
            ids += [pictures.id(index) for index, _ in batch]
        if not ids:
            first = f", for example {pictures.path(0)}" if len(pictures) else ""
            raise UserError(f"no picture of {pictures.name} can be read{first}; are they pictures?")
        return Descriptors(ids, vectors[: len(ids)], self.origin)

    def _rows(self, pictures: Pictures) -> Iterator[tuple[int, NDArray[Any]]]:
        """The place of each picture that can be read, and what was read of it."""
        results = parallel_map(
            partial(_read_source, self.read),
            _Sources(pictures),
            workers=self.workers,
            description=f"describing {pictures.name}",
        )
        for index, result in enumerate(results):
            if isinstance(result, _Unreadable):
                self.skipped.add(pictures.path(index), result.reason)
            else:
                yield index, result


class _Sources(Sequence[_Source]):
    """The sources of a set, had when asked for: the bytes of shards never lie there at once."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    @overload
    def __getitem__(self, index: int) -> _Source: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Source]: ...
    def __getitem__(self, index: int | slice) -> _Source | list[_Source]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if index >= len(self):
            raise IndexError(index)  # what ends a loop over a sequence
        name = str(self._pictures.path(index))
        try:
            return _Source(self._pictures.source(index), name)
        except UnreadableImage as error:
            return _Source(_Unreadable(error.reason), name)


def _read_source(read: Read, item: _Source) -> NDArray[Any] | _Unreadable:
    if isinstance(item.source, _Unreadable):
        return item.source
    try:
        return read(load_image(item.source, name=item.name))
    except UnreadableImage as error:
        return _Unreadable(error.reason)
