"""Outputs appear whole or not at all."""

from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.files import atomic_path


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


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No space left"), atomic_path(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
