"""What the documents say exists does."""

import re
from pathlib import Path

import pytest
from PIL import Image

from sscd.augment.edits.catalogue import CATALOGUE
from sscd.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), target


def test_every_operation_is_listed_with_its_picture() -> None:
    page = (ROOT / "docs" / "edits.md").read_text(encoding="utf-8")
    for name in CATALOGUE:
        assert f"`{name}`" in page
        assert f"![{name}](images/edits/{name}.jpg)" in page
        with Image.open(ROOT / "docs" / "images" / "edits" / f"{name}.jpg") as picture:
            assert 100 <= max(picture.size) <= 180
    listed = re.findall(r"!\[(\w+)\]\(images/edits", page)
    assert sorted(listed) == sorted([*CATALOGUE, "source"])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_are_commands(page: Path) -> None:
    for name in re.findall(r"(?:`|\n)sscd ([a-z][a-z-]*)", page.read_text(encoding="utf-8")):
        assert name in COMMANDS, name
