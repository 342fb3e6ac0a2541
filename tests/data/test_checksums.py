"""Checksums in the form of sha256sum."""

import hashlib
from pathlib import Path

import pytest

from sscd.data.checksums import CHECKSUMS_FILE, read_checksums, write_checksums
from sscd.errors import UserError


def test_what_is_written_reads_back_in_the_usual_form(tmp_path: Path) -> None:
    contents = {"a.jpg": b"one", "b/c.jpg": b"", "b/large": b"x" * 3_000_000}
    (tmp_path / "b").mkdir()
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    write_checksums(tmp_path, list(contents), workers=1)
    expected = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    assert read_checksums(tmp_path) == expected
    first = (tmp_path / CHECKSUMS_FILE).read_text().splitlines()[0]
    assert first == f"{expected['a.jpg']}  a.jpg"


def test_none_and_broken_ones(tmp_path: Path) -> None:
    assert read_checksums(tmp_path) == {}
    for broken in ("short  a.jpg", "0" * 64, "0" * 64 + " a.jpg", "0" * 64 + "  "):
        (tmp_path / CHECKSUMS_FILE).write_text(f"{'1' * 64}  fine.jpg\n{broken}\n")
        with pytest.raises(UserError, match="line 2: no checksum"):
            read_checksums(tmp_path)
