from dataclasses import replace
from typing import Any

import pytest

from benchmarks.recipes.describing import arguments_of, check_options
from benchmarks.recipes.judging import WAYS
from benchmarks.recipes.results import headline
from benchmarks.recipes.row import PostProcess, Row
from sscd.errors import UserError


@pytest.mark.parametrize("own", [64, 255, 256, 512])
def test_no_way_exceeds_the_dimensions(own: int) -> None:
    for way in WAYS:
        projection, dims = way.steps(PostProcess(), own=own)
        finished = own + way.normalised if dims is None else dims
        assert finished == min(256, own + way.normalised)
        assert (projection == "whiten") is way.whitened
        assert projection != "none" or dims is None


def test_four_ways_that_differ() -> None:
    assert len({(way.whitened, way.normalised) for way in WAYS}) == len(WAYS) == 4


def ways(*micro_aps: float) -> dict[str, dict[str, Any]]:
    return {
        way.name: {
            "neighbours": {"micro_ap": value},
            "norm": "1.0[0,2]" if way.normalised else "",
        }
        for way, value in zip(WAYS, micro_aps, strict=True)
    }


def test_the_headline_is_the_best_of_its_kind_over_seeds() -> None:
    one = ways(0.5, 0.6, 0.9, 0.8)
    assert headline([one]) == {"plain": "whitened", "normalised": "raw-normalised"}
    other = ways(0.8, 0.6, 0.7, 0.9)  # raw is better by .2, whitened-normalised by .1
    assert headline([one, other]) == {"plain": "raw", "normalised": "whitened-normalised"}
    del other["raw"]
    assert headline([one, other])["plain"] == "whitened"  # what all seeds have


def test_options_are_checked_before_the_training() -> None:
    row = Row("a", about="", training="a", train={}, describe={"sise": 96})
    with pytest.raises(UserError, match=r"row a: describe: .*sise"):
        check_options(row)
    check_options(replace(row, describe={"size": 96, "mirror": True}))


def test_what_the_laboratory_sets_is_refused() -> None:
    with pytest.raises(UserError, match=r"describe\.checkpoint is set by the laboratory"):
        arguments_of({"checkpoint": "x.ckpt"})
