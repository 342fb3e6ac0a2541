from pathlib import Path

import pytest

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.formats.origins import common_origin, origin_attributes, origin_of

KNOWN = Origin("abc", "288 short_side", "f00")
A, B = Path("a.h5"), Path("b.h5")


def test_attributes_round_trip() -> None:
    assert origin_attributes(KNOWN) == {
        "model_fingerprint": "abc",
        "preprocessing": "288 short_side",
        "postprocessing_fingerprint": "f00",
    }
    for origin in (KNOWN, Origin(), Origin("abc")):
        assert origin_of({"else": 3, **origin_attributes(origin)}) == origin


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Origin("abd", "288 short_side", "f00"), r"a.h5 has model abc and b.h5 model abd"),
        (Origin("abc", "320 square", "f00"), r"preprocessing 288 short_side and b.h5 prep"),
        (Origin("abc", "288 short_side", ""), r"a.h5 has postprocessing f00 and b.h5 .* unknown"),
        (Origin(), r"a.h5 has model abc and b.h5 model unknown"),
    ],
)
def test_files_of_two_origins_are_told_apart(other: Origin, words: str) -> None:
    with pytest.raises(UserError, match=words):
        common_origin([(A, KNOWN), (A, KNOWN), (B, other)])


def test_a_common_origin() -> None:
    assert common_origin([(A, KNOWN), (B, Origin("abc", "288 short_side", "f00"))]) == KNOWN
    assert common_origin([(A, Origin()), (B, Origin())]) == Origin()
