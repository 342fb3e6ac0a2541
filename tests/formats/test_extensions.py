import pytest

from sscd.errors import UserError
from sscd.formats.extensions import Renamed, match_ids, strip_extension, without_extension


@pytest.mark.parametrize(
    ("item", "stem"),
    [
        ("Q00001.jpg", "Q00001"),
        ("a/b.JPEG", "a/b"),
        ("a.b.heic", "a.b"),
        ("a.tar", "a.tar"),
        ("a.jpg/b", "a.jpg/b"),
        ("Q00001", "Q00001"),
        (".jpg", ".jpg"),
        ("a/.png", "a/.png"),
        ("", ""),
    ],
)
def test_only_extensions_of_pictures_go(item: str, stem: str) -> None:
    assert without_extension(item) == stem


def test_stripping_keeps_ids_apart() -> None:
    assert strip_extension(["a.jpg", "b.png", "b", "c.txt"]) == Renamed(
        ["a", "b.png", "b", "c.txt"], 1
    )
    assert strip_extension(["a.jpg", "a.jpg"]) == Renamed(["a", "a"], 2)
    assert strip_extension([]) == Renamed([], 0)


def test_matching_goes_both_ways() -> None:
    assert match_ids(["Q1.jpg", "Q2", "Q9.jpg", "Q1.jpg"], {"Q1", "Q2.png"}) == Renamed(
        ["Q1", "Q2.png", "Q9.jpg", "Q1"], 3
    )
    # What is known stays, and what could be either of two is left.
    assert match_ids(["a.jpg", "a"], {"a.jpg", "a.png"}) == Renamed(["a.jpg", "a"], 0)


@pytest.mark.parametrize("ids", [["Q1", "Q1.jpg"], ["Q1.jpg", "Q1"], ["Q1.png", "Q1.jpg"]])
def test_two_ids_never_become_one(ids: list[str]) -> None:
    with pytest.raises(UserError, match="are both Q1 without their extensions"):
        match_ids(ids, {"Q1"})
