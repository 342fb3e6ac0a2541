"""Classes of training pictures, from folders and tables, complete or not."""

from pathlib import Path

import numpy as np
import pytest

from sscd.data.labels import labels_of
from sscd.data.records import ImageSet
from sscd.errors import UserError


def images(*names: str) -> ImageSet:
    return ImageSet.from_names("training", root=Path("DIR"), names=names)


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_first_folder_is_the_class() -> None:
    labels = labels_of(images("dog/a.jpg", "cat/deep/b.jpg", "dog/c.jpg", "Zebra é/d.jpg"), None)
    assert labels.names == ("Zebra é", "cat", "dog")
    assert labels.of_picture.tolist() == [2, 1, 2, 0]
    assert labels.of_picture.dtype == np.int64


def test_a_table_names_pictures_in_three_ways(tmp_path: Path) -> None:
    text = "\ufeffPicture,Class\r\nT000001,cat\r\nb/T000002.png,dog\r\nb/T000003,cat\r\n"
    text += "new%20one,dog\r\n\r\n"
    pictures = images("T000001.jpg", "b/T000002.png", "b/T000003.jpg", "new one.jpg")
    labels = labels_of(pictures, table(tmp_path, text))
    assert [labels.names[place] for place in labels.of_picture] == ["cat", "dog", "cat", "dog"]


def test_what_a_table_names_besides_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, "a,cat\nb,dog\nR1,dog\nR2,dog\n")
    assert labels_of(images("a.jpg", "b.jpg"), path).names == ("cat", "dog")
    said = capsys.readouterr()
    assert f"2 of 4 pictures in {path} are no training pictures" in said.out + said.err


def test_the_digest_is_of_the_classes_alone() -> None:
    first = labels_of(images("a/1.jpg", "b/2.jpg"), None)
    again = labels_of(images("b/2.jpg", "b/3.jpg", "a/1.jpg"), None)
    other = labels_of(images("a/1.jpg", "c/2.jpg"), None)
    assert first.digest == again.digest != other.digest
    assert len(first.digest) == 16


def test_pictures_without_a_class_are_counted(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"2 of 3 training pictures lie in no folder .* DIR/b\.jpg"):
        labels_of(images("x/a.jpg", "b.jpg", "c.jpg"), None)
    path = table(tmp_path, "a,cat\nb,dog\n")
    with pytest.raises(UserError, match=r"1 of 3 training pictures have no class in .*labels\.csv"):
        labels_of(images("a.jpg", "b.jpg", "c.jpg"), path)


def test_one_class_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs two classes at least, .* one class alone, x;"):
        labels_of(images("x/a.jpg", "x/b.jpg"), None)
    with pytest.raises(UserError, match="no class; give"):
        labels_of(images(), None)
    with pytest.raises(UserError, match="one class alone, cat"):
        labels_of(images("a.jpg"), table(tmp_path, "a,cat\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,cat\nb\n", "line 2: expected picture,class"),
        ("a,cat,more\n", "line 1: expected picture,class"),
        ("a,\n", "line 1: expected picture,class"),
        ("a,cat\na,dog\n", "line 2: a is cat on an earlier line and dog here; keep one"),
        ('a,"cat\n', "expected picture,class|cannot be read|training pictures"),
    ],
)
def test_malformed_tables(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        labels_of(images("a.jpg", "b.jpg"), table(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.labels .*none\.csv cannot be read \(No such file"):
        labels_of(images("a.jpg"), tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        labels_of(images("a.jpg"), tmp_path)
    binary = tmp_path / "labels.csv"
    binary.write_bytes(b"\xff\xfe\x00a,\x00")
    with pytest.raises(UserError, match="cannot be read"):
        labels_of(images("a.jpg"), binary)
