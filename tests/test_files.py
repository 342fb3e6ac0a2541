"""Outputs appear whole or not at all."""

from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.files import atomic_path, check_output_place, remove_leftovers


def test_a_finished_file_appears_and_its_directory_too(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [p.name for p in target.parent.iterdir()] == ["out.txt"]
    assert target.stat().st_mode & 0o600 == 0o600


def test_a_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        fail()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match=r"cannot write .*file/out\.txt"),
        atomic_path(tmp_path / "file" / "out.txt"),
    ):
        pass


def test_the_output_that_has_no_place_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_output_place(tmp_path / "new" / "out.csv")
    assert not list((tmp_path / "new").iterdir())
    monkeypatch.chdir(tmp_path)

    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(UserError, match=r"^cannot write out\.csv: Read-only .*; give --output"):
        check_output_place(Path("out.csv"))


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No space left"), atomic_path(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_leftovers_of_that_file_alone_are_removed(tmp_path: Path) -> None:
    names = [".a[1].txt.x.part", ".a[1].txt.yz.part", ".a1.txt.x.part", ".b.txt.x.part", "a[1].txt"]
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "a[1].txt")
    assert {path.name for path in tmp_path.iterdir()} == set(names[2:])
