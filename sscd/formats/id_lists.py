"""List files, an id a line as in DISC21's `list_files`, and how a file's ids differ from one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sscd.errors import UserError
from sscd.formats.extensions import without_extension
from sscd.formats.ids import id_fault
from sscd.formats.problems import Problem

_NAMED = 3
_SHOWN = 60


@dataclass(frozen=True)
class IdList:
    """A list file.

    Attributes:
        path: The file.
        ids: What it lists, in its order, no two alike; with extensions where it has them.
    """

    path: Path
    ids: tuple[str, ...]


def read_id_list(path: Path) -> IdList:
    """Read a list file: an id or a picture's file name on each line, as in DISC21's `list_files`.

    A byte-order mark, CRLF line ends, blanks around ids and blank lines at the end are accepted.

    Raises:
        UserError: The file cannot be read, is empty, or has a line that is blank, repeated or no
            single ASCII id; the message gives the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot read list file {path}: {reason}; give a text file") from error
    lines = [line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").rstrip().splitlines()]
    if not lines:
        raise UserError(f"{path}: lists no id; write one on each line")
    first: dict[bytes, int] = {}
    for number, line in enumerate(lines, start=1):
        if fault := id_fault(line):
            raise UserError(f"{path}, line {number} {fault}")
        if b"," in line or len(line.split()) > 1:
            text = line.decode("ascii")[:_SHOWN]
            raise UserError(f"{path}, line {number}: {text!r} is no single id; write one a line")
        if first.setdefault(line, number) != number:
            text = f"{line.decode('ascii')} is on line {first[line]} already; keep one"
            raise UserError(f"{path}, line {number}: {text}")
    return IdList(path, tuple(line.decode("ascii") for line in lines))


def differing_ids(
    path: Path,
    name: str,
    ids: Iterable[bytes],
    listed: IdList | None,
    *,
    may_lack: bool = False,
) -> Iterator[Problem]:
    """Yield how a file's ids differ from a list's; extensions of pictures do not count.

    Args:
        path: The file, for the message.
        name: The dataset or column, for the message.
        ids: ASCII ids.
        listed: What they should be; None for anything.
        may_lack: Whether ids of the list may be absent, as queries without a match are.
    """
    if listed is None:
        return
    there = {without_extension(item.decode("ascii")) for item in ids}
    expected = {without_extension(item) for item in listed.ids}
    if (missing := expected - there) and not may_lack:
        text = f"{path}: {name} lacks {len(missing):,} of the {len(expected):,} in {listed.path}"
        yield Problem("missing ids", f"{text}: {_some(missing)}")
    if unlisted := there - expected:
        text = f"{path}: {name} has {len(unlisted):,} that are not in {listed.path}"
        yield Problem("unlisted ids", f"{text}: {_some(unlisted)}")


def _some(names: set[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:_NAMED]) + (", …" if len(ordered) > _NAMED else "")
