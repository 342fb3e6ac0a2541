"""Ids with and without a picture's extension: `Q00001.jpg` and `Q00001` are one picture."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sscd.data.decode import HEIF_EXTENSIONS
from sscd.data.listing import EXTENSIONS
from sscd.errors import UserError

_EXTENSIONS = (*EXTENSIONS, *HEIF_EXTENSIONS)


@dataclass(frozen=True)
class Renamed:
    """Ids after a change of extensions.

    Attributes:
        ids: As many as before, in the same order.
        changed: How many differ from before, to be said.
    """

    ids: list[str]
    changed: int


def without_extension(item: str) -> str:
    """An id without its extension, if that is one of a picture.

    >>> without_extension("a/Q00001.JPG"), without_extension("v1.2"), without_extension(".png")
    ('a/Q00001', 'v1.2', '.png')
    """
    stem, dot, extension = item.rpartition(".")
    if not stem or stem.endswith("/") or f"{dot}{extension}".lower() not in _EXTENSIONS:
        return item
    return stem


def strip_extension(ids: Sequence[str]) -> Renamed:
    """Take the extensions of pictures off ids, save where two ids would become one.

    >>> strip_extension(["Q1.jpg", "Q2.png", "Q2.jpg", "Q3"])
    Renamed(ids=['Q1', 'Q2.png', 'Q2.jpg', 'Q3'], changed=1)
    """
    owner: dict[str, str] = {}
    shared: set[str] = set()
    for item in ids:
        stem = without_extension(item)
        if owner.setdefault(stem, item) != item:
            shared.add(stem)
    stems = [without_extension(item) for item in ids]
    stripped = [item if stem in shared else stem for item, stem in zip(ids, stems, strict=True)]
    return Renamed(stripped, sum(a != b for a, b in zip(ids, stripped, strict=True)))


def match_ids(ids: Sequence[str], known: Collection[str]) -> Renamed:
    """Call ids as a ground truth or another file calls them, where only extensions differ.

    An id that is known stays; one that is not becomes the known id that equals it without
    extensions, if there is one and only one; others stay.

    Args:
        ids: Ids, repeated ones allowed.
        known: Ids as they shall be.

    Raises:
        UserError: Two different ids would become one.

    >>> match_ids(["Q1.jpg", "Q2", "Q3.jpg"], ["Q1", "Q2.png"])
    Renamed(ids=['Q1', 'Q2.png', 'Q3.jpg'], changed=2)
    """
    known = set(known)
    distinct = dict.fromkeys(ids)
    strangers = [item for item in distinct if item not in known]
    if not strangers:
        return Renamed(list(ids), 0)
    by_stem: dict[str, str | None] = {}
    for item in known:
        stem = without_extension(item)
        by_stem[stem] = None if stem in by_stem else item
    target = {item: by_stem.get(without_extension(item)) or item for item in strangers}
    taken = {item: item for item in distinct if item in known}
    for item, name in target.items():
        if (other := taken.setdefault(name, item)) != item:
            raise UserError(
                f"ids {other} and {item} are both {name} without their extensions; "
                "give one of the two pictures another name"
            )
    matched = [target.get(item, item) for item in ids]
    return Renamed(matched, sum(a != b for a, b in zip(ids, matched, strict=True)))
