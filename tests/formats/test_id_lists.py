from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.formats.id_lists import IdList, differing_ids, read_id_list


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [b"Q2\nQ1.jpg\n", b"Q2\r\nQ1.jpg", b"\xef\xbb\xbfQ2\n Q1.jpg \n\n\n", b"Q2\rQ1.jpg\r"],
)
def test_a_list_is_read_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "queries", content)
    assert read_id_list(path) == IdList(path, ("Q2", "Q1.jpg"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "lists no id"),
        (b"\n \n", "lists no id"),
        (b"Q1\n\nQ2\n", "line 2 is ''"),
        (b"Q1\nQ2\nQ1\n", "line 3: Q1 is on line 1 already"),
        (b"Q1\nQ2,R2\n", "line 2: 'Q2,R2' is no single id"),
        (b"Q1 Q2\n", "line 1: 'Q1 Q2' is no single id"),
        (b"Q1\nQ\xff\n", "line 2 is 'Q"),
        ("Q1\n".encode("utf-16"), "line 1 is "),
        (b"Q\0\n", "line 1 is 'Q"),
        (b"x" * 5000, "line 1 is an id of 5,000 bytes"),
        (b"\x89HDF\r\n\x1a\n" + bytes(500), "line 1 is "),
    ],
)
def test_hostile_lists(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UserError) as caught:
        read_id_list(write(tmp_path / "queries", content))
    assert words in str(caught.value)
    assert str(tmp_path / "queries") in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match="cannot read list file"):
            read_id_list(path)


def test_differences_are_counted_and_named() -> None:
    listed = IdList(Path("list"), ("Q1.jpg", "Q2", "Q3", "Q4", "Q5", "Q6"))
    found = list(differing_ids(Path("f"), "query_ids", [b"Q1", b"Q2.png", b"Q7"], listed))
    assert [problem.text for problem in found] == [
        "f: query_ids lacks 4 of the 6 in list: Q3, Q4, Q5, …",
        "f: query_ids has 1 that are not in list: Q7",
    ]
    few = differing_ids(Path("f"), "query_ids", [b"Q1"], listed, may_lack=True)
    assert list(few) == []
    assert list(differing_ids(Path("f"), "query_ids", [b"Q1"], None)) == []
