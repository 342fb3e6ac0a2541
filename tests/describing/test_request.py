import json
from pathlib import Path

import pytest

from sscd.data.pictures.sources import PictureSource, open_pictures
from sscd.describing.request import DescribeRequest
from sscd.errors import UserError
from tests.data.noise import write_pictures
from tests.models.networks import small_spec


@pytest.fixture
def source(tmp_path: Path) -> PictureSource:
    write_pictures(tmp_path / "photos", 10)
    return open_pictures(str(tmp_path / "photos"), name="pictures")


def test_partitions_cover_the_pictures(source: PictureSource) -> None:
    for size, spans in ((4, [4, 4, 2]), (5, [5, 5]), (100, [10])):
        request = DescribeRequest.of(source, small_spec(), partition=size)
        assert request.partitions == len(spans)
        covered = [p for number in range(request.partitions) for p in request.span(number)]
        assert covered == list(range(10))
        assert [len(request.span(number)) for number in range(len(spans))] == spans


def test_a_request_says_what_it_depends_on(source: PictureSource, tmp_path: Path) -> None:
    request = DescribeRequest.of(source, small_spec(), partition=4)
    table = json.loads(request.encode())
    assert table["source"] == str(tmp_path / "photos")
    assert (table["pictures"], table["dims"], table["partition"]) == (10, 8, 4)
    assert table["preprocessing"] == "32 short_side"
    assert table["model"] == request.origin.model == small_spec().origin.model
    assert request.difference(table) is None


def test_differences_are_named(source: PictureSource) -> None:
    before = json.loads(DescribeRequest.of(source, small_spec(), partition=4).encode())
    request = DescribeRequest.of(source, small_spec(), partition=5)
    assert request.difference(before) == "--partition was 4 and is 5"
    other = DescribeRequest.of(source, small_spec(seed=1), partition=4)
    assert other.difference(before) == f"the model was {before['model']} and is {other.model}"
    assert other.difference({}) == "format was None and is sscd-descriptors"
    swapped = PictureSource(source.pictures.subset(range(9, -1, -1)), "folder", source.location)
    found = DescribeRequest.of(swapped, small_spec(), partition=4).difference(before)
    assert str(found).startswith("the pictures' ids was ")


def test_a_partition_holds_a_picture(source: PictureSource) -> None:
    with pytest.raises(UserError, match="--partition 0: give at least 1"):
        DescribeRequest.of(source, small_spec(), partition=0)
