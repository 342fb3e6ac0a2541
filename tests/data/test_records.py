import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from sscd.data.ground_truth import GroundTruth
from sscd.data.records import Collection, ImageSet


def _set(*names: str | bytes) -> ImageSet:
    return ImageSet.from_names("photos", root=Path("/photos"), names=names)


def test_a_disc21_directory_has_ids_without_extension() -> None:
    images = _set("R000000.jpg", "R000001.jpg")
    assert images.ids == ["R000000", "R000001"]
    assert images.id(1) == "R000001"
    assert images.path(1) == Path("/photos/R000001.jpg")
    assert len(images) == 2


def test_ids_that_would_clash_keep_their_extension() -> None:
    assert _set("a/x.jpg", "a/x.png", "b/x.jpg").ids == ["a/x.jpg", "a/x.png", "b/x"]


def test_an_id_with_extension_that_clashes_in_turn_is_lengthened_too() -> None:
    ids = _set("a.jpg", "a.png", "a.jpg.gif", "a.jpg.gif.gif").ids
    assert ids == ["a.jpg", "a.png", "a.jpg.gif", "a.jpg.gif.gif"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("été.jpg", "%C3%A9t%C3%A9"),
        ("50%.jpg", "50%25"),
        ('a, "b".jpg', "a%2C%20%22b%22"),
        ("line\nbreak.jpg", "line%0Abreak"),
        (b"\xff.jpg", "%FF"),
        ("a+b(1)&'c'/d_e-f~.x.jpg", "a+b(1)&'c'/d_e-f~.x"),
    ],
)
def test_ids_are_ascii_that_a_csv_line_can_hold(name: str | bytes, expected: str) -> None:
    assert _set(name).ids == [expected]


def test_a_name_that_is_no_utf8_leads_back_to_its_file(tmp_path: Path) -> None:
    raw = b"\xff\xfe.jpg"
    try:
        (tmp_path / os.fsdecode(raw)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    images = ImageSet.from_names("p", root=tmp_path, names=[raw])
    assert images.path(0).read_bytes() == b"x"


def test_subset_keeps_ids_though_the_clash_is_gone() -> None:
    part = _set("x.jpg", "x.png", "y.jpg").subset(np.array([2, 1]))
    assert part.ids == ["y", "x.png"]
    assert part.name == "photos"


def test_take_finds_pictures_by_id_in_the_order_asked() -> None:
    images = _set("a.jpg", "b.jpg", "c.jpg")
    assert images.take(["c", "a"]).names.tolist() == [b"c.jpg", b"a.jpg"]
    with pytest.raises(ValueError, match="'nope'"):
        images.take(["a", "nope"])


def test_names_that_repeat_are_an_error() -> None:
    with pytest.raises(ValueError, match="repeat"):
        _set("a.jpg", "a.jpg")


def test_an_empty_set_and_a_pickled_one_work() -> None:
    assert _set().ids == []
    assert len(_set().subset([])) == 0
    again = pickle.loads(pickle.dumps(_set("x.jpg", "x.png")))
    assert again.ids == ["x.jpg", "x.png"]


def test_limited_training_is_a_stable_choice_in_the_old_order() -> None:
    training = _set(*(f"{i:03d}.jpg" for i in range(100)))
    collection = Collection(training, _set("r.jpg"), _set("q.jpg"), GroundTruth(frozenset()))
    ten, twenty = collection.limit_training(10), collection.limit_training(20)
    assert len(ten.training) == 10
    assert ten.training.ids == sorted(ten.training.ids)
    assert set(ten.training.ids) < set(twenty.training.ids)
    assert ten.left_out == ("90 of 100 training pictures are over the limit",)
    assert collection.limit_training(None) is collection
    assert collection.limit_training(100) is collection
