from pathlib import Path

import pytest
from PIL import Image

from sscd.data.disc21 import is_disc21, read_disc21
from sscd.errors import UserError

TRUTH = "query_id,reference_id\nQ00000,\nQ00001,R000002\n"


def _disc21(
    root: Path, *, queries: str = "dev_queries", truth_file: str = "dev_queries_groundtruth.csv"
) -> Path:
    parts = {"train": ("T%06d", 3), "references": ("R%06d", 4), queries: ("Q%05d", 2)}
    for folder, (pattern, count) in parts.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (4, 4)).save(root / folder / f"{pattern % number}.jpg")
    (root / truth_file).parent.mkdir(exist_ok=True)
    (root / truth_file).write_text(TRUTH)
    return root


def test_a_whole_data_set_is_read(tmp_path: Path) -> None:
    collection = read_disc21(_disc21(tmp_path))
    assert collection.training.ids == ["T000000", "T000001", "T000002"]
    assert collection.references.ids == ["R000000", "R000001", "R000002", "R000003"]
    assert collection.queries.ids == ["Q00000", "Q00001"]
    assert collection.queries.path(1) == tmp_path / "dev_queries/Q00001.jpg"
    assert collection.truth.pairs == {("Q00001", "R000002")}
    assert collection.left_out == ()
    assert collection.edits is None, "those of the data set itself are not known"
    assert is_disc21(tmp_path)
    (tmp_path / "edits.jsonl").write_text("{}")  # as `sscd make-disc` leaves it
    assert read_disc21(tmp_path).edits == tmp_path / "edits.jsonl"


@pytest.mark.parametrize(
    "name",
    [
        "dev_ground_truth.csv",
        "public_ground_truth.csv",
        "ground_truth/dev_queries_groundtruth.csv",
        "list_files/dev_ground_truth.csv",
    ],
)
def test_ground_truth_is_found_under_its_other_names(tmp_path: Path, name: str) -> None:
    assert read_disc21(_disc21(tmp_path, truth_file=name)).truth.pairs


@pytest.mark.parametrize("folder", ["test_queries", "final_queries"])
def test_test_queries(tmp_path: Path, folder: str) -> None:
    root = _disc21(tmp_path, queries=folder, truth_file="test_queries_groundtruth.csv")
    assert is_disc21(root)
    assert len(read_disc21(root, queries="test").queries) == 2
    with pytest.raises(UserError, match="no dev queries; looked for the directory dev_queries"):
        read_disc21(root)


def test_without_train_the_training_set_is_empty(tmp_path: Path) -> None:
    root = _disc21(tmp_path)
    (root / "train").rename(tmp_path / "elsewhere")
    collection = read_disc21(root)
    assert len(collection.training) == 0
    assert len(collection.references) == 4


def test_queries_that_are_not_listed_and_other_files_are_said(tmp_path: Path) -> None:
    root = _disc21(tmp_path)
    Image.new("RGB", (4, 4)).save(root / "dev_queries" / "Q00002.jpg")
    (root / "references" / "readme.txt").touch()
    collection = read_disc21(root)
    assert len(collection.queries) == 3
    assert "1 entry is no picture" in collection.left_out[0]
    assert "does not speak of 1 of 3 queries" in collection.left_out[1]


def test_positives_only_speak_of_all(tmp_path: Path) -> None:
    root = _disc21(tmp_path)
    (root / "dev_queries_groundtruth.csv").write_text("Q00001,R000002\n")
    collection = read_disc21(root)
    assert collection.truth.listed is None
    assert collection.left_out == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Q00000,R000009", "names reference R000009"),
        ("Q00009,R000001", "names query Q00009"),
        ("Q00009,", "names query Q00009"),
    ],
)
def test_unknown_ids_are_named_with_the_file(tmp_path: Path, line: str, message: str) -> None:
    root = _disc21(tmp_path)
    (root / "dev_queries_groundtruth.csv").write_text(f"Q00001,R000002\n{line}\n")
    with pytest.raises(UserError, match=message) as caught:
        read_disc21(root)
    assert "dev_queries_groundtruth.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("references", "references"),
        ("dev_queries", "dev_queries"),
        ("dev_queries_groundtruth.csv", "dev_queries_groundtruth.csv, dev_ground_truth.csv"),
    ],
)
def test_missing_parts_are_named(tmp_path: Path, lost: str, message: str) -> None:
    root = _disc21(tmp_path / "disc")
    (root / lost).rename(tmp_path / "lost")
    with pytest.raises(UserError, match=message):
        read_disc21(root)
    assert is_disc21(root) == lost.endswith(".csv")


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        read_disc21(tmp_path / "nowhere")
    assert not is_disc21(tmp_path / "nowhere")
