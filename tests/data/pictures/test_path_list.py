from pathlib import Path

import pytest

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.pictures.path_list import ListedPictures, read_picture_list
from sscd.errors import UserError
from tests.data.noise import noise, write_pictures


def read(data: bytes, base: Path) -> ListedPictures:
    return read_picture_list(data, base=str(base), name="set", location="list.txt")


def test_paths_and_urls(tmp_path: Path) -> None:
    import fsspec

    write_pictures(tmp_path / "here", 2)
    write_pictures(tmp_path / "elsewhere", 1)
    fsspec.filesystem("memory").pipe_file("/bucket/x y.png", noise(7))
    lines = [
        "\ufeff# a comment",
        "./00.png",
        "",
        "  01.png  \r",
        f"{tmp_path}/elsewhere/00.png",
        f"file://{tmp_path}/elsewhere/00.png",
        "memory://bucket/x y.png",
        "absent.png",
    ]
    pictures = read("\n".join(lines).encode(), tmp_path / "here")
    assert pictures.ids == [
        "00",
        "01",
        f"{tmp_path}/elsewhere/00",
        f"file://{tmp_path}/elsewhere/00",
        "memory://bucket/x%20y",
        "absent",
    ]
    assert pictures.id(1) == "01"
    assert pictures.name == "set"
    assert len(pictures.names) == len(pictures) == 6
    for index, expected in enumerate([noise(0), noise(1), noise(0), noise(0), noise(7)]):
        source = pictures.source(index)
        assert (source if isinstance(source, bytes) else source.read_bytes()) == expected
    assert pictures.path(0) == tmp_path / "here" / "00.png"
    source = pictures.source(5)
    with pytest.raises(UnreadableImage, match="no such file"):
        load_image(source)


def test_a_list_behind_a_url() -> None:
    import fsspec

    fsspec.filesystem("memory").pipe_file("/bucket/a.png", noise(3))
    pictures = read_picture_list(
        b"a.png\nb.png", base="memory://bucket", name="set", location="memory://bucket/list"
    )
    assert pictures.source(0) == noise(3)
    with pytest.raises(UnreadableImage, match="no such file"):
        pictures.source(1)
    last = pictures.subset([1], name="other")
    assert (last.ids, last.name) == (["b"], "other")
    assert str(last.path(0)) == "memory:/bucket/b.png"


def test_names_that_differ_in_their_extension_keep_it(tmp_path: Path) -> None:
    assert read(b"a.jpg\na.png\nb.png", tmp_path).ids == ["a.jpg", "a.png", "b"]


def test_names_need_not_be_text(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9.png").write_bytes(noise(1))
    pictures = read(b"caf\xe9.png", tmp_path)
    assert pictures.ids == ["caf%E9"]
    assert Path(str(pictures.source(0))).read_bytes() == noise(1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "list.txt names no picture"),
        (b"# only\n\n", "list.txt names no picture"),
        (b"a.png\n\n./a.png\n", "picture a.png is in line 1 and in line 3"),
        (b"x\ny\nx\nx", "picture x is in line 1 and in line 3"),
    ],
)
def test_errors_name_the_lines(data: bytes, expected: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=expected):
        read(data, tmp_path)
