"""Files that a finished benchmark lost."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from sscd.data.benchmark import whole
from sscd.data.benchmark.whole import missing_files

SIZES = {"references": 3, "train": 0, "dev_queries": 2}
FILES = (
    *("dev_queries_groundtruth.csv", "test_queries_groundtruth.csv"),
    *("sources.csv", "edits.jsonl", "contact_sheet.jpg", "checksums.sha256"),
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for part, letter in (("references", "R"), ("dev_queries", "Q")):
        ids = [f"{letter}{number}" for number in range(SIZES[part])]
        (tmp_path / part).mkdir()
        for image_id in ids:
            (tmp_path / part / f"{image_id}.jpg").touch()
        (tmp_path / "list_files").mkdir(exist_ok=True)
        (tmp_path / "list_files" / part).write_text("".join(f"{i}\n" for i in ids))
    for name in FILES:
        (tmp_path / name).write_text("x")
    return tmp_path


def test_a_whole_one_lacks_nothing_and_other_files_do_not_count(out: Path) -> None:
    assert missing_files(out, SIZES) == []
    (out / "references" / ".DS_Store").touch()
    (out / "references" / "R9.jpg").touch()
    assert missing_files(out, SIZES) == []


@pytest.mark.parametrize("name", [*FILES, "references/R1.jpg", "dev_queries/Q1.jpg"])
def test_each_file_is_missed(name: str, out: Path) -> None:
    (out / name).unlink()
    assert missing_files(out, SIZES) == [name]


def test_directories_and_lists_are_missed(out: Path) -> None:
    shutil.rmtree(out / "dev_queries")
    (out / "list_files" / "references").write_text("R0\nR1\n")  # cut short
    (out / "sources.csv").write_text("")
    expected = ["sources.csv", "list_files/references", "dev_queries/Q0.jpg", "dev_queries/Q1.jpg"]
    assert missing_files(out, SIZES) == expected
    shutil.rmtree(out / "list_files")
    lists = ["list_files/references", "list_files/dev_queries"]
    assert missing_files(out, SIZES) == ["sources.csv", *lists]


def test_directories_are_listed_once_and_no_picture_is_looked_at(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned: list[str] = []
    looked_at: list[str] = []

    def scandir(path: Path) -> Any:
        scanned.append(path.name)
        return original(path)

    def is_written(path: Path) -> bool:
        looked_at.append(path.name)
        return True

    original = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(whole, "is_written", is_written)
    assert missing_files(out, SIZES) == []
    assert scanned == ["references", "dev_queries"]
    assert looked_at == list(FILES)
