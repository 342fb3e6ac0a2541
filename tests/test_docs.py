"""What the documents say exists does."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from sscd.augment.edits.catalogue import CATALOGUE
from sscd.cli import COMMANDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

QUOTED = re.compile(r"^\s*> (?:sscd: error|warning): (.+)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_to_headings_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", text):
        file = page.parent / target if target else page
        assert heading in _anchors(file), f"{target}#{heading}"


def _anchors(page: Path) -> set[str]:
    """The anchors of a page, as GitHub and the site make them of its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings]
    return {re.sub(r"\s", "-", heading) for heading in plain}


def test_every_operation_is_listed_with_its_picture() -> None:
    page = (DOCS / "edits.md").read_text(encoding="utf-8")
    for name in CATALOGUE:
        assert f"`{name}`" in page
        assert f"![{name}](images/edits/{name}.jpg)" in page
        with Image.open(DOCS / "images" / "edits" / f"{name}.jpg") as picture:
            assert 100 <= max(picture.size) <= 180
    listed = re.findall(r"!\[(\w+)\]\(images/edits", page)
    assert sorted(listed) == sorted([*CATALOGUE, "source"])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_are_commands(page: Path) -> None:
    for name in re.findall(r"(?:`|\n)sscd ([a-z][a-z-]*)", page.read_text(encoding="utf-8")):
        assert name in COMMANDS, name


def test_messages_are_quoted_as_they_are_said() -> None:
    quoted = QUOTED.findall((DOCS / "troubleshooting.md").read_text(encoding="utf-8"))
    assert len(quoted) > 30
    # Messages are put together at these places; `…` stands for what varies.
    pieces = {piece.strip(" .") for message in quoted for piece in re.split(r"…|; |: ", message)}
    said = "\n".join(_strings())
    assert not {piece for piece in pieces if piece not in said}


@cache
def _strings() -> tuple[str, ...]:
    """The pieces of text in the code that are longer than a word."""
    return tuple(
        node.value
        for path in sorted((ROOT / "sscd").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_every_page_is_in_the_navigation_once() -> None:
    listed = re.findall(r"([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {page for page in set(listed) ^ written if not page.startswith("api/")} == set()
