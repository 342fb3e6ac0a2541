from pathlib import Path

import pytest

from sscd.data.pictures.remote import (
    Unreachable,
    find_files,
    is_file,
    is_url,
    join,
    local_path,
    openable,
    read_url,
    readable,
    retried,
)
from sscd.errors import UserError


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("sscd.data.pictures.remote.time.sleep", waited.append)
    return waited


def test_places() -> None:
    assert is_url("s3://a/b")
    assert not is_url("/a/b")
    assert local_path("file:///a/b") == Path("/a/b")
    assert local_path("a/b") == Path("a/b")
    assert local_path("s3://a/b") is None
    assert join("/a", "b") == "/a/b"
    assert join("/a/", "b") == "/a/b"
    assert join("s3://a", "http://b/c") == "http://b/c"
    assert join("", "b") == "b"


@pytest.mark.parametrize(
    "place", ["s3://bucket/a b.jpg", "https://host/x", "/plain/path", "a/b", "c:/d", "x:/y:/z"]
)
def test_a_place_survives_being_a_path(place: str) -> None:
    assert readable(Path(place)) == place


def test_reading_and_finding(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(b"2345")
    (tmp_path / "a").write_bytes(b"1")
    url = f"file://{tmp_path}"
    assert read_url(f"{url}/sub/b") == b"2345"
    assert read_url(f"{url}/sub/b", first=2) == b"23"
    assert find_files(url) == ["a", "sub/b"]
    assert is_file(f"{url}/a")
    assert not is_file(url)
    assert not is_file(f"{url}/absent")
    assert openable(str(tmp_path / "a")) == str(tmp_path / "a")


def test_files_in_memory_can_be_opened() -> None:
    import fsspec

    fsspec.filesystem("memory").pipe_file("/remote/x", b"abc")
    with openable("memory://remote/x") as file:
        assert file.read() == b"abc"


def test_what_is_missing_is_not_tried_again(tmp_path: Path, waits: list[float]) -> None:
    with pytest.raises(Unreachable, match="no such file"):
        read_url(f"file://{tmp_path}/absent")
    assert waits == []


def test_what_may_pass_is_tried_again(waits: list[float]) -> None:
    tries = []

    def attempt() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError("slow down")
        return 5

    assert retried(attempt) == 5
    assert waits == [1.0, 2.0]
    tries.clear()

    def failing() -> int:
        raise ConnectionError("slow\ndown")

    with pytest.raises(Unreachable, match=r"^slow down$"):
        retried(failing)


def test_a_kind_of_url_that_nothing_reads() -> None:
    with pytest.raises(UserError, match="nosuch://a/b cannot be reached"):
        read_url("nosuch://a/b")
