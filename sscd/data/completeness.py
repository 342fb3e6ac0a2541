"""Whether a directory in DISC21's layout is whole: counts, list files, truth, unreadable files."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sscd.data.checksums import CHECKSUMS_FILE, file_checksum, read_checksums
from sscd.data.decode import UnreadableImage, load_image
from sscd.data.disc21 import (
    GROUND_TRUTH_FILES,
    GROUND_TRUTH_FOLDERS,
    QUERY_DIRECTORIES,
    QuerySplit,
)
from sscd.data.ground_truth import read_ground_truth
from sscd.data.listing import scan_images
from sscd.data.parallel import parallel_map
from sscd.data.records import ImageSet
from sscd.errors import UserError

PUBLISHED_COUNTS = {
    "train": 1_000_000,
    "references": 1_000_000,
    "dev_queries": 50_000,
    "test_queries": 50_000,
}
"""Pictures in DISC21 (section 4.3)."""
LIST_FOLDER = "list_files"

_PUBLISHED_ID = re.compile(r"(T|R)\d{6}|Q\d{5}")
_NAMED = 3


@dataclass(frozen=True)
class PartReport:
    """What was found of one part of a data set.

    Attributes:
        name: Directory or file, relative to the data set.
        found: One line: what is there.
        problems: One line each; empty where the part is whole.
    """

    name: str
    found: str
    problems: tuple[str, ...] = ()


def check_disc21(root: Path, *, decode: int | None, workers: int) -> Iterator[PartReport]:
    """Check the parts of a data set one after the other.

    A directory is held against its list file in `list_files/`, or, where there is none and the
    names are DISC21's, against DISC21's published number of pictures; pictures also against
    `checksums.sha256`, where `make-disc` has written one.

    Args:
        root: The directory that holds `references/`.
        decode: Decode so many pictures of each directory, evenly chosen; None for all of them.
        workers: Processes that decode.

    Yields:
        A report on each directory, then on each ground truth, then on the other files.

    Raises:
        UserError: `root` is no directory, holds nothing of DISC21, or has broken checksums.
    """
    if not root.is_dir():
        raise UserError(f"{root} is no directory; give the one that holds references/")
    sets: dict[str, ImageSet] = {}
    known = ["train", "references", *(names[0] for names in QUERY_DIRECTORIES.values())]
    if not any(_directory(root, name) for name in known):
        raise UserError(f"{root} has none of {', '.join(known)}; is it DISC21's directory?")
    checksums = read_checksums(root)
    for name in known:
        yield _check_directory(
            root, name, sets, checksums=checksums, decode=decode, workers=workers
        )
    for split in GROUND_TRUTH_FILES:
        yield _check_truth(root, split, sets)
    if checksums:
        yield _check_others(root, checksums)


def _directory(root: Path, name: str) -> Path | None:
    names = next((names for names in QUERY_DIRECTORIES.values() if name in names), (name,))
    return next((root / other for other in names if (root / other).is_dir()), None)


def _check_directory(
    root: Path,
    name: str,
    sets: dict[str, ImageSet],
    *,
    checksums: Mapping[str, str],
    decode: int | None,
    workers: int,
) -> PartReport:
    folder = _directory(root, name)
    if folder is None and _leaves_out(root, name):
        return PartReport(name, "none")
    if folder is None:
        return PartReport(name, "missing", (f"the directory {root / name} is missing",))
    try:
        listing = scan_images(folder, name=name)
    except UserError as error:
        return PartReport(name, "empty", (str(error),))
    images = sets[name] = listing.images
    problems = [*listing.left_out, *_check_ids(root, name, images)]
    chosen = np.arange(len(images))
    if decode is not None:
        chosen = np.unique(np.linspace(0, len(images) - 1, min(decode, len(images))).astype(int))
    paths = [images.path(int(index)) for index in chosen]
    asked = [(path, checksums.get(f"{name}/{path.relative_to(folder)}")) for path in paths]
    found = parallel_map(_faults, asked, workers=workers, description=f"decoding {name}")
    faults = list(found) if paths else []
    broken = [unreadable for unreadable, _ in faults if unreadable]
    if broken:
        problems.append(f"{len(broken):,} unreadable: {_some(broken)}")
    if changed := [str(path) for path, (_, differs) in zip(paths, faults, strict=True) if differs]:
        problems.append(f"{len(changed):,} differ from {CHECKSUMS_FILE}: {_some(changed)}")
    line = f"{len(images):,} pictures, {len(paths) - len(broken):,} decoded"
    return PartReport(name, line, tuple(problems))


def _leaves_out(root: Path, name: str) -> bool:
    """Whether a set with list files has none of this part: `make-disc --training 0`."""
    lists = root / LIST_FOLDER
    return name == "train" and lists.is_dir() and not (lists / name).exists()


def _check_ids(root: Path, name: str, images: ImageSet) -> Iterator[str]:
    there = set(images.ids)
    listed_in = root / LIST_FOLDER / name
    if listed_in.is_file():
        try:
            listed = set(listed_in.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError) as error:
            yield f"{listed_in} cannot be read: {error}"
            return
        if missing := listed - there:
            yield f"{len(missing):,} of {len(listed):,} listed are missing: {_some(missing)}"
        if unlisted := there - listed:
            yield f"{len(unlisted):,} are not in {listed_in}: {_some(unlisted)}"
        return
    published = PUBLISHED_COUNTS[name]
    if len(there) != published and all(_PUBLISHED_ID.fullmatch(i) for i in there):
        lacking = [i for i in _published_ids(name) if i not in there]
        yield (
            f"DISC21 has {published:,}, and there is no list file {listed_in}: "
            f"{len(lacking):,} are missing: {_some(lacking)}"
        )


def _published_ids(name: str) -> list[str]:
    """DISC21's ids: T000000 and R000000 to 999999; Q00000 to 49999 (dev) and 99999 (test)."""
    letter, width = {"train": ("T", 6), "references": ("R", 6)}.get(name, ("Q", 5))
    first = PUBLISHED_COUNTS["dev_queries"] if name == "test_queries" else 0
    return [f"{letter}{first + n:0{width}d}" for n in range(PUBLISHED_COUNTS[name])]


def _check_truth(root: Path, split: QuerySplit, sets: dict[str, ImageSet]) -> PartReport:
    names = GROUND_TRUTH_FILES[split]
    files = [root / folder / name for folder in GROUND_TRUTH_FOLDERS for name in names]
    file = next((path for path in files if path.is_file()), None)
    if file is None:
        return PartReport(names[0], "missing", (f"no ground truth of the {split} queries",))
    try:
        truth = read_ground_truth(file)
    except UserError as error:
        return PartReport(names[0], "broken", (str(error),))
    problems = []
    queries = {query for query, _ in truth.pairs} | (truth.listed or frozenset())
    references = {reference for _, reference in truth.pairs}
    for part, named in ((QUERY_DIRECTORIES[split][0], queries), ("references", references)):
        if part in sets and (unknown := named.difference(sets[part].ids)):
            problems.append(f"names {len(unknown):,} that are not in {part}: {_some(unknown)}")
    found = f"{len(truth.pairs):,} true pairs"
    directory = QUERY_DIRECTORIES[split][0]
    if truth.listed is not None and directory in sets:
        silent = set(sets[directory].ids) - truth.listed
        found += f" among {len(truth.listed):,} queries"
        # DISC21's public truth speaks of half of the development queries.
        if silent and (root / LIST_FOLDER / directory).is_file():
            problems.append(f"says nothing of {len(silent):,} queries: {_some(silent)}")
        elif silent:
            found += f", says nothing of {len(silent):,} others"
    return PartReport(names[0], found, tuple(problems))


def _check_others(root: Path, checksums: Mapping[str, str]) -> PartReport:
    """The files of a benchmark that are no pictures: lists, truth, edits."""
    others = [name for name in checksums if not name.endswith(".jpg") or "/" not in name]
    missing = [name for name in others if not (root / name).is_file()]
    there = (name for name in others if name not in missing)
    differ = [name for name in there if file_checksum(root / name) != checksums[name]]
    problems = [f"{len(missing)} are missing: {_some(missing)}"] if missing else []
    if differ:
        problems.append(f"{len(differ)} differ: {_some(differ)}")
    return PartReport(CHECKSUMS_FILE, f"{len(others)} other files", tuple(problems))


def _faults(asked: tuple[Path, str | None]) -> tuple[str, bool]:
    """Why a picture cannot be decoded, or nothing; and whether its checksum differs."""
    path, checksum = asked
    try:
        load_image(path)
    except UnreadableImage as error:
        return str(error), False
    return "", checksum is not None and file_checksum(path) != checksum


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:_NAMED]) + (", …" if len(ordered) > _NAMED else "")
