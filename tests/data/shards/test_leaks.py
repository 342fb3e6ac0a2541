"""Files that are validated on are found among packed ones by their contents."""

import itertools
from pathlib import Path

import pytest

from sscd.data.records import ImageSet
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.leaks import without_leaks
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.writer import pack_shards
from sscd.errors import UserError


def folder_of(root: Path, contents: dict[str, bytes]) -> ImageSet:
    root.mkdir()
    for name, data in contents.items():
        (root / name).write_bytes(data)
    return ImageSet.from_names(root.name, root=root, names=sorted(contents))


def packed(images: ImageSet, out: Path) -> ShardedPictures:
    pack_shards(images, out, PackOptions())
    return ShardedPictures.open(str(out), cache=out / "no cache")


def numbered(count: int, text: str) -> dict[str, bytes]:
    return {f"{text}{index:04d}.jpg": f"{text} {index}".encode() for index in range(count)}


def test_one_file_among_all_that_are_looked_at_is_found(tmp_path: Path) -> None:
    training = folder_of(tmp_path / "train", numbered(4, "T") | {"T9.jpg": b"R 3"})
    references = folder_of(tmp_path / "references", numbered(5, "R"))
    queries = folder_of(tmp_path / "queries", numbered(3, "Q"))
    pictures = packed(training, tmp_path / "out")
    with pytest.raises(UserError, match=r"\(references/R0003\.jpg: 1 of 8 looked at\)"):
        without_leaks(pictures, references, queries)
    assert without_leaks(pictures, queries, references.subset([0, 1, 2, 4])) == (pictures, ())
    assert without_leaks(pictures, references.subset([])) == (pictures, ())


def test_a_few_are_left_out_and_counted(tmp_path: Path) -> None:
    training = folder_of(tmp_path / "train", numbered(4, "T") | {"T9.jpg": b"R 3"})
    references = folder_of(tmp_path / "references", numbered(150, "R"))
    clean, lines = without_leaks(packed(training, tmp_path / "out"), references)
    assert clean.ids == ["T0000", "T0001", "T0002", "T0003"]
    assert clean.read(3) == b"T 3"
    (line,) = lines
    assert line.startswith("1 pictures of ")
    assert line.endswith("(references/R0003.jpg: 1 of 150 looked at)")


def test_a_thousand_of_many_are_looked_at_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = folder_of(tmp_path / "references", numbered(2500, "R"))
    queries = folder_of(tmp_path / "queries", numbered(10, "Q"))
    pictures = packed(references, tmp_path / "out")
    looked: list[str] = []
    read_bytes = Path.read_bytes

    def noting(path: Path) -> bytes:
        looked.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", noting)
    with pytest.raises(UserError, match=r"R0000\.jpg, …: 1,000 of 1,010 looked at"):
        without_leaks(pictures, references, queries)
    numbers = [int(name[1:5]) for name in looked if name.startswith("R")]
    gaps = {b - a for a, b in itertools.pairwise(numbers)}
    assert (len(numbers), gaps, numbers[-1]) == (1000, {2, 3}, 2497)


def test_unreadable_files_are_passed_over(tmp_path: Path) -> None:
    training = folder_of(tmp_path / "train", numbered(4, "T"))
    references = folder_of(tmp_path / "references", {"a.jpg": b"T 1", "b.jpg": b"T 2"})
    pictures = packed(training, tmp_path / "out")
    references.path(0).unlink()
    with pytest.raises(UserError, match=r"\(references/b\.jpg: 1 of 1 looked at\)"):
        without_leaks(pictures, references)
    references.path(1).unlink()
    without_leaks(pictures, references)
