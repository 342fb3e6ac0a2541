"""The fenced blocks of README and docs: what a reader may copy, and where it stands."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

PAGES = (
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
)
_FENCE = re.compile(r"(?P<indent>[ >]*)(?P<ticks>`{3,})(?P<language>[\w-]*)")
_EXEMPTION = re.compile(r"<!--\s*not run:(?P<reason>.*?)-->")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: The file it stands in.
        line: The line of its first line of text, from 1.
        language: What follows the opening fence.
        text: Its lines, without the fence's indentation.
        exempt: Why it is not run; None where it is.
    """

    page: Path
    line: int
    language: str
    text: str
    exempt: str | None

    @property
    def place(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    return list(parse_blocks(page, page.read_text(encoding="utf-8")))


def parse_blocks(page: Path, text: str) -> list[Block]:
    """The blocks of a page's text.

    Raises:
        ValueError: A block without an end, or a reason that stands above no block.
    """
    lines = text.splitlines()
    blocks: list[Block] = []
    exempt: str | None = None
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if (opening := _FENCE.match(line)) is None:
            if exempt is not None and line.strip():
                raise ValueError(f"{name_of(page)}:{number}: a reason, and no block below it")
            if (exemption := _EXEMPTION.fullmatch(line.strip())) is not None:
                exempt = exemption["reason"].strip()
            continue
        end = _end(lines, number, opening["ticks"])
        if end is None:
            raise ValueError(f"{name_of(page)}:{number}: a block without an end")
        indent = len(opening["indent"])
        inside = "\n".join(one[indent:] for one in lines[number:end])
        blocks.append(Block(page, number + 1, opening["language"], inside, exempt))
        exempt = None
        number = end + 1
    if exempt is not None:
        raise ValueError(f"{name_of(page)}: a reason at the end, and no block below it")
    return blocks


def _end(lines: list[str], start: int, ticks: str) -> int | None:
    for number in range(start, len(lines)):
        if lines[number].strip(" >") == ticks:
            return number
    return None
