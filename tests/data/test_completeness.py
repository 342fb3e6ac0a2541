"""Whether a data set in DISC21's layout is whole."""

from pathlib import Path

import pytest
from PIL import Image

from sscd.data import completeness
from sscd.data.checksums import write_checksums
from sscd.data.completeness import PartReport, check_disc21
from sscd.errors import UserError

PARTS = {
    "train": ("T000000", "T000001", "T000002"),
    "references": ("R000000", "R000001"),
    "dev_queries": ("Q00000", "Q00001"),
    "test_queries": ("Q00002", "Q00003"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, ids in PARTS.items():
        folder = tmp_path / name
        folder.mkdir()
        for image_id in ids:
            Image.new("RGB", (20, 16), "red").save(folder / f"{image_id}.jpg")
        (tmp_path / "list_files").mkdir(exist_ok=True)
        (tmp_path / "list_files" / name).write_text("\n".join(ids) + "\n")
    header = "query_id,reference_id\n"
    (tmp_path / "dev_queries_groundtruth.csv").write_text(f"{header}Q00000,R000001\nQ00001,\n")
    (tmp_path / "test_queries_groundtruth.csv").write_text(f"{header}Q00002,R000000\nQ00003,\n")
    return tmp_path


def reports(root: Path, decode: int | None = None) -> dict[str, PartReport]:
    return {part.name: part for part in check_disc21(root, decode=decode, workers=1)}


def test_a_whole_set_has_no_problem(root: Path) -> None:
    found = reports(root)
    assert [*found] == [*PARTS, "dev_queries_groundtruth.csv", "test_queries_groundtruth.csv"]
    assert all(part.problems == () for part in found.values())
    assert found["train"].found == "3 pictures, 3 decoded"
    assert found["dev_queries_groundtruth.csv"].found == "1 true pairs among 2 queries"


def test_every_fault_is_named(root: Path) -> None:
    (root / "train" / "T000001.jpg").unlink()
    (root / "references" / "extra.png").write_bytes(b"not listed and no picture")
    (root / "references" / "notes.txt").write_text("x")
    whole = (root / "dev_queries" / "Q00000.jpg").read_bytes()
    (root / "dev_queries" / "Q00000.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "test_queries_groundtruth.csv").write_text("Q00002,R999999\n")
    found = reports(root)
    assert found["train"].problems == ("1 of 3 listed are missing: T000001",)
    problems = " | ".join(found["references"].problems)
    assert "1 .txt" in problems
    assert "1 are not in" in problems
    assert "extra.png: not a picture of a known format" in problems
    (problem,) = found["dev_queries"].problems
    assert problem.startswith("1 unreadable: ")
    assert problem.endswith("Q00000.jpg: truncated")
    truth = found["test_queries_groundtruth.csv"].problems
    assert truth == ("names 1 that are not in references: R999999",)


def test_files_that_changed_are_told_by_their_checksums(root: Path) -> None:
    names = [f"{part}/{name}.jpg" for part, ids in PARTS.items() for name in ids]
    names += ["list_files/train", "dev_queries_groundtruth.csv"]
    write_checksums(root, names, workers=1)
    assert all(part.problems == () for part in reports(root).values())
    Image.new("RGB", (20, 16), "blue").save(root / "train" / "T000001.jpg")
    (root / "list_files" / "train").write_text("T000000\nT000001\nT000002\n\n")
    (root / "dev_queries_groundtruth.csv").unlink()
    found = reports(root)
    (problem,) = found["train"].problems
    assert problem.startswith("1 differ from checksums.sha256: ")
    assert problem.endswith("T000001.jpg")
    assert found["references"].problems == ()
    others = found["checksums.sha256"].problems
    assert others == ("1 are missing: dev_queries_groundtruth.csv", "1 differ: list_files/train")
    assert reports(root, decode=0)["train"].problems == ()


def test_a_truth_that_was_cut_short_is_named(root: Path) -> None:
    truth = root / "dev_queries_groundtruth.csv"
    truth.write_text("query_id,reference_id\nQ00000,R000001\n")
    problems = reports(root)[truth.name].problems
    assert problems == ("says nothing of 1 queries: Q00001",)
    (root / "list_files" / "dev_queries").unlink()
    part = reports(root)[truth.name]
    assert part.problems == ()
    assert part.found == "1 true pairs among 1 queries, says nothing of 1 others"


def test_a_benchmark_without_training_pictures_is_whole(root: Path) -> None:
    for path in (root / "train").iterdir():
        path.unlink()
    (root / "train").rmdir()
    assert reports(root)["train"].problems != ()
    (root / "list_files" / "train").unlink()
    assert reports(root)["train"] == PartReport("train", "none")


def test_missing_and_empty_parts_are_named(root: Path) -> None:
    for path in (root / "train").iterdir():
        path.unlink()
    (root / "test_queries").rename(root / "elsewhere")
    (root / "dev_queries_groundtruth.csv").write_text("one,two,three\n")
    found = reports(root)
    assert found["train"].found == "empty"
    assert "has no readable picture" in found["train"].problems[0]
    assert found["test_queries"].problems == (f"the directory {root / 'test_queries'} is missing",)
    assert "line 1: got 3 fields" in found["dev_queries_groundtruth.csv"].problems[0]


def test_without_list_files_the_published_numbers_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (root / "list_files").iterdir():
        path.unlink()
    monkeypatch.setattr(
        completeness,
        "PUBLISHED_COUNTS",
        {"train": 5, "references": 2, "dev_queries": 2, "test_queries": 3},
    )
    found = reports(root, decode=0)
    assert "2 are missing: T000003, T000004" in found["train"].problems[0]
    assert found["references"].problems == found["dev_queries"].problems == ()
    assert "1 are missing: Q00004" in found["test_queries"].problems[0]


def test_a_sample_is_decoded(root: Path) -> None:
    found = reports(root, decode=2)
    assert found["train"].found == "3 pictures, 2 decoded"
    assert reports(root, decode=0)["train"].found == "3 pictures, 0 decoded"


@pytest.mark.parametrize("where", ["nowhere", "elsewhere"])
def test_another_directory_is_an_error(tmp_path: Path, where: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UserError, match=r"no directory|none of train, references"):
        list(check_disc21(tmp_path / where, decode=0, workers=1))
