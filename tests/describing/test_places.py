import errno
import os
import time
from pathlib import Path
from typing import Any

import fsspec
import pytest

from sscd.describing.places import open_place
from sscd.errors import UserError


@pytest.fixture(params=["directory", "url"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "out") if request.param == "directory" else f"memory:/{tmp_path}/out/"


def test_files_are_written_read_and_removed(location: str) -> None:
    place = open_place(location)
    assert place.names() == set()
    assert place.read("a") is None
    assert not place.has("a")
    place.write("a", b"1")
    place.write("b", b"2")
    place.write("a", b"3")
    assert place.names() == {"a", "b"}
    assert place.has("a")
    assert place.read("a") == b"3"
    place.remove("a")
    place.remove("a")
    place.tidy()
    assert place.names() == {"b"}
    assert not place.location.endswith("/")


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    place = open_place(str(tmp_path))
    (tmp_path / ".part-0.abc.part").write_text("half")
    (tmp_path / ".part-1.abc.part").write_text("of a process that still writes")
    (tmp_path / ".keep").write_text("x")
    assert place.names() == set()
    long_ago = time.time() - 7200
    os.utime(tmp_path / ".part-0.abc.part", (long_ago, long_ago))
    place.tidy()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keep", ".part-1.abc.part"]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = open_place(str(tmp_path))

    def full(path: Path, data: bytes) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"cannot write .*part-0: No space left on device"):
        place.write("part-0", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(UserError, match="x is a file; give a directory"):
        open_place(str(tmp_path / "x"))


def test_a_store_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sscd.data.pictures.remote.time.sleep", lambda _: None)
    place = open_place("memory://failing")

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError("access denied")

    for name in ("pipe_file", "cat_file", "ls"):
        monkeypatch.setattr(type(fsspec.filesystem("memory")), name, refuse)
    with pytest.raises(UserError, match="cannot write memory://failing/a: access denied"):
        place.write("a", b"1")
    with pytest.raises(UserError, match="memory://failing/a cannot be read: access denied"):
        place.read("a")
    with pytest.raises(UserError, match="memory://failing cannot be listed: access denied"):
        place.names()
    with pytest.raises(UserError, match="cannot be reached"):
        open_place("nosuch://x")
