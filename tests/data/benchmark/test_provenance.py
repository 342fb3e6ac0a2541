"""What a benchmark depends on."""

import json
import os
from dataclasses import replace
from pathlib import Path

import PIL
import pytest
from PIL import Image

from sscd.augment.edits.table import load_table, without
from sscd.data.benchmark.provenance import describe_request, versions
from sscd.data.listing import scan_images
from tests.data.benchmark.requests import SMALL


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        Image.new("RGB", (20, 20 + number)).save(tmp_path / f"{number}.png")
        os.utime(tmp_path / f"{number}.png", ns=(1, 1))
    return tmp_path


def test_what_changes_the_result_changes_the_description(root: Path) -> None:
    tables = {"dev": load_table("phase1")}
    images = scan_images(root, name="photos").images
    described, exactly = describe_request(SMALL, tables, images)
    assert json.loads(json.dumps(described))["references"] == 8
    assert described.items() <= exactly.items()
    assert describe_request(SMALL, tables, images) == (described, exactly)
    assert describe_request(replace(SMALL, seed=1), tables, images)[0] != described
    changed = {"dev": without(tables["dev"], ["blur"])}
    assert describe_request(SMALL, changed, images)[0] != described
    os.utime(root / "1.png", ns=(2, 2))  # a copy of the folder may have other times
    touched, touched_exactly = describe_request(SMALL, tables, images)
    assert touched == described
    assert touched_exactly != exactly
    with (root / "1.png").open("ab") as file:
        file.write(b"x")
    assert describe_request(SMALL, tables, images)[0]["pictures"] != described["pictures"]


def test_versions_name_the_libraries_that_draw() -> None:
    assert {"sscd", "augly", "numpy", "pillow"} <= set(versions())
    assert versions()["pillow"] == PIL.__version__
