"""Sets are told apart by their names, in any order, wherever they lie."""

from pathlib import Path

import pytest

from sscd.data.names_digest import names_digest
from sscd.data.records import ImageSet


def digest(*names: str, root: str = "a") -> str:
    return names_digest(ImageSet.from_names("set", root=Path(root), names=names))


def test_order_and_place_do_not_matter() -> None:
    expected = digest("x/1.jpg", "x/2.jpg", "longer name.png")
    assert expected == digest("longer name.png", "x/2.jpg", "x/1.jpg", root="b")
    assert len(expected) == 16


@pytest.mark.parametrize(
    "names",
    [("1.jpg",), ("1.jpg", "2.jpg", "3.jpg"), ("1.jpg", "2.jpeg"), ("1.jpg2.jpg",), ()],
)
def test_other_names_are_another_set(names: tuple[str, ...]) -> None:
    assert digest(*names) != digest("1.jpg", "2.jpg")


def test_sets_of_more_than_a_block() -> None:
    names = [f"{number}.jpg" for number in range(70_000)]
    assert digest(*names) == digest(*reversed(names))
    assert digest(*names) != digest(*names[:-1], "x.jpg")
