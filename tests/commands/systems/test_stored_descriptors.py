"""Descriptors of networks in parts: made once, with the time that they took."""

from pathlib import Path

import numpy as np
import pytest

from sscd.commands.describing import DescribeOptions
from sscd.commands.systems.stored_descriptors import StoredDescriptors
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog
from sscd.vectors import in_memory
from tests.commands.small import draw_sets, write_checkpoint


@pytest.fixture
def options(tmp_path: Path) -> DescribeOptions:
    draw_sets(tmp_path, training=3)
    write_checkpoint(tmp_path / "a.ckpt")
    return DescribeOptions(tmp_path / "a.ckpt", workers=0, device="cpu")


def queries_of(root: Path) -> ImageSet:
    names = sorted(path.name for path in (root / "queries").iterdir())
    return ImageSet.from_names("queries", root=root / "queries", names=names)


def test_a_second_call_finds_descriptors_and_their_time(
    options: DescribeOptions, tmp_path: Path
) -> None:
    queries = queries_of(tmp_path)
    first = StoredDescriptors(options, tmp_path / "parts")
    made = first(queries)
    assert (first.watch.pictures, len(made.ids)) == (8, 8)
    assert first.watch.seconds > 0
    first(queries)
    assert first.watch.pictures == 8  # a set that is asked for again took no time
    second = StoredDescriptors(options, tmp_path / "parts")
    found = second(queries)
    assert (second.watch.seconds, second.watch.pictures) == (first.watch.seconds, 8)
    assert second.watch.described == first.watch.described != ""
    np.testing.assert_array_equal(in_memory(found.vectors), in_memory(made.vectors))


def test_parts_of_other_pictures_of_the_same_names_are_not_taken(
    options: DescribeOptions, tmp_path: Path
) -> None:
    queries = queries_of(tmp_path)
    before = in_memory(StoredDescriptors(options, tmp_path / "parts")(queries).vectors)
    (tmp_path / "queries" / "Q001.jpg").write_bytes(
        (tmp_path / "queries" / "Q005.jpg").read_bytes()
    )
    after = in_memory(StoredDescriptors(options, tmp_path / "parts")(queries).vectors)
    np.testing.assert_array_equal(before[[0, 5]], after[[0, 5]])
    np.testing.assert_array_equal(after[1], after[5])


@pytest.mark.parametrize("damage", [None, "{", '{"seconds": "x", "pictures": 1}', "[]"])
def test_a_time_that_was_lost_is_not_known(
    options: DescribeOptions, tmp_path: Path, damage: str | None
) -> None:
    queries = queries_of(tmp_path)
    StoredDescriptors(options, tmp_path / "parts")(queries)
    (time,) = (tmp_path / "parts").glob("*.time.json")
    time.unlink() if damage is None else time.write_text(damage, encoding="utf-8")
    stored = StoredDescriptors(options, tmp_path / "parts")
    stored(queries)
    assert stored.watch.seconds_a_picture is None


def test_unreadable_pictures_are_noted(options: DescribeOptions, tmp_path: Path) -> None:
    (tmp_path / "queries" / "broken.jpg").write_bytes(b"x")
    log = SkipLog()
    found = StoredDescriptors(options, tmp_path / "parts", skipped=log)(queries_of(tmp_path))
    assert (len(log), len(found.ids)) == (1, 8)
