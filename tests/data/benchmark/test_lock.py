"""One writer at a time."""

from pathlib import Path

import pytest

from sscd.data.benchmark.lock import locked
from sscd.errors import UserError


def test_a_second_writer_is_turned_away_and_disturbs_nothing(tmp_path: Path) -> None:
    work = tmp_path / "out" / ".partial"
    with locked(work, keep=work / "kept"):
        (work / "records").touch()
        with (
            pytest.raises(UserError, match=r"^another make-disc is writing .*out; wait for it$"),
            locked(work, keep=work / "kept"),
        ):
            pass
        assert (work / "records").exists()
        (work / "kept").touch()
    with locked(work, keep=work / "kept"):  # the lock was given up
        assert (work / "records").exists()


def test_what_nobody_keeps_is_removed_even_after_an_error(tmp_path: Path) -> None:
    work = tmp_path / ".partial"
    with pytest.raises(ZeroDivisionError), locked(work, keep=work / "kept"):
        (work / str(1 // 0)).touch()
    assert not work.exists()


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    work = tmp_path / ".partial"
    work.touch()
    with pytest.raises(UserError, match="cannot write"), locked(work, keep=work / "kept"):
        pass
