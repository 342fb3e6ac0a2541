"""Which pictures a page needs, and where each of them lies."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from sscd.data.decode import UnreadableImage
from sscd.data.listing import EXTENSIONS
from sscd.data.pictures.remote import local_path
from sscd.data.pictures.sources import open_pictures
from sscd.data.records import Pictures
from sscd.errors import UserError
from sscd.report.contents import Contents, Shown
from sscd.report.page.thumbnails import Source

NOWHERE = "it is not recorded where they lie; give --queries and --references"
_UNASKED = "and is opened only where --queries or --references names it"

Wanted = tuple[str, str]
"""A set of pictures, as `Judged` names it, and the id of one of them."""


def wanted_pictures(contents: Contents) -> dict[Wanted, int]:
    """Number the pictures of a page, each once: the first system's first, what was found first."""
    wanted: dict[Wanted, int] = {}
    for shown in contents.systems:
        queries, references = shown.judged.query_pictures, shown.judged.reference_pictures
        for example in shown.examples:
            for source, name in (
                (queries, example.query),
                (references, example.found),
                (references, example.expected),
            ):
                if name is not None:
                    wanted.setdefault((source, name), len(wanted))
    return wanted


def numbers_of(shown: Shown, wanted: Mapping[Wanted, int]) -> dict[str, list[int | None]]:
    """The number of each example's pictures: of the query, of what was found and was expected."""
    queries, references = shown.judged.query_pictures, shown.judged.reference_pictures
    return {
        "query": [wanted[queries, one.query] for one in shown.examples],
        "found": [_number(wanted, references, one.found) for one in shown.examples],
        "expected": [_number(wanted, references, one.expected) for one in shown.examples],
    }


def _number(wanted: Mapping[Wanted, int], source: str, name: str | None) -> int | None:
    return None if name is None else wanted[source, name]


class Sources(Sequence[Source]):
    """Where wanted pictures lie; those in shards are read when they are asked for.

    Args:
        wanted: In the order of their numbers.
        trusted: Sources that a person has named; of all others only files and directories of this
            machine are opened, for an evaluation of elsewhere may name anything. None trusts all.
    """

    def __init__(
        self, wanted: Sequence[Wanted], *, trusted: AbstractSet[str] | None = None
    ) -> None:
        self._wanted = list(wanted)
        names: dict[str, set[str]] = {}
        for source, name in self._wanted:
            names.setdefault(source, set()).add(name)
        self._sets = {
            source: _Set(source, of, trusted=trusted is None or source in trusted)
            for source, of in names.items()
        }

    def __len__(self) -> int:
        return len(self._wanted)

    @overload
    def __getitem__(self, place: int, /) -> Source: ...
    @overload
    def __getitem__(self, place: slice, /) -> list[Source]: ...
    def __getitem__(self, place: int | slice, /) -> Source | list[Source]:
        if isinstance(place, slice):
            return [self._sets[source].source(name) for source, name in self._wanted[place]]
        source, name = self._wanted[place]
        return self._sets[source].source(name)


@dataclass(frozen=True)
class _Opened:
    pictures: Pictures | None
    reason: str


class _Set:
    """The wanted pictures of one source."""

    def __init__(self, source: str, names: set[str], *, trusted: bool) -> None:
        opened = _open(source, trusted=trusted)
        self._pictures, self._reason = opened.pictures, opened.reason
        self._rows: dict[str, int] = {}
        if self._pictures is not None:
            known = {spelling: name for name in sorted(names) for spelling in _spellings(name)}
            known |= {name: name for name in names}
            for row, spelled in enumerate(self._pictures.ids):
                if spelled in known:
                    self._rows.setdefault(known[spelled], row)

    def source(self, name: str) -> Source:
        if self._pictures is None:
            return self._reason
        if name not in self._rows:
            return f"no picture of this id in {self._pictures.name}"
        try:
            return self._pictures.source(self._rows[name])
        except UnreadableImage as error:
            return error.reason


def _open(source: str, *, trusted: bool) -> _Opened:
    if not source:
        return _Opened(None, NOWHERE)
    try:
        path = local_path(source)
        if not trusted and path is None:
            return _Opened(None, f"{source} is a URL {_UNASKED}")
        if not trusted and path is not None and _is_special(path):
            return _Opened(None, f"{source} is neither a file nor a directory, {_UNASKED}")
        return _Opened(open_pictures(source, name=source).pictures, "")
    # A ValueError is what Python makes of a path with a NUL or half a surrogate pair.
    except (UserError, OSError, ModuleNotFoundError, ValueError) as error:
        return _Opened(None, " ".join(str(error).split()))


def _is_special(path: Path) -> bool:
    """Whether it is there and may have no end, as a pipe or a device."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _spellings(name: str) -> Iterator[str]:
    """An id as a ground truth may have it, with the extension that ids of pictures lack."""
    stem, extension = posixpath.splitext(name)
    if extension.lower() in EXTENSIONS:
        yield stem
