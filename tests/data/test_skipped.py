from pathlib import Path

import pytest

from sscd.data.skipped import SkipLog
from sscd.errors import UserError


def _log(count: int, *, prefix: str = "") -> SkipLog:
    log = SkipLog()
    for number in range(count):
        log.add(Path(f"{prefix}{number}.jpg"), "truncated")
    return log


def test_a_picture_is_counted_once() -> None:
    log = _log(2)
    log.add("0.jpg", "another reason")
    assert len(log) == 2
    assert log.summary() == (
        "2 pictures could not be read: 0.jpg (truncated), 1.jpg (truncated); all in skipped.txt"
    )


def test_the_summary_names_the_first_three() -> None:
    assert _log(4).summary(file="x.txt") == (
        "4 pictures could not be read: 0.jpg (truncated), 1.jpg (truncated), 2.jpg (truncated), …; "
        "all in x.txt"
    )


def test_nothing_skipped_says_and_writes_nothing(tmp_path: Path) -> None:
    assert SkipLog().summary() == ""
    SkipLog().write(tmp_path / "skipped.txt")
    assert list(tmp_path.iterdir()) == []


def test_writing_again_adds_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "skipped.txt"
    _log(2).write(file)
    _log(3).write(file)
    _log(1, prefix="new/").write(file)
    expected = ["0.jpg", "1.jpg", "2.jpg", "new/0.jpg"]
    assert file.read_text() == "".join(f"{name}\ttruncated\n" for name in expected)


def test_odd_names_keep_to_their_line(tmp_path: Path) -> None:
    log = SkipLog()
    log.add("a\nb\tc\udcff.jpg", "two\nlines")
    log.write(tmp_path / "skipped.txt")
    log.write(tmp_path / "skipped.txt")
    assert (tmp_path / "skipped.txt").read_text() == "a\\nb\\tc\\udcff.jpg\ttwo\\nlines\n"
    assert "\n" not in log.summary()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"skipped\.txt"):
        _log(1).write(tmp_path / "file" / "skipped.txt")
