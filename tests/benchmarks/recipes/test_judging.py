import pytest

from benchmarks.recipes.judging import WAYS, arguments_of, headline
from benchmarks.recipes.row import PostProcess
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


def test_the_headline_is_the_better_of_its_kind() -> None:
    at = {
        name: {"neighbours": {"micro_ap": value}}
        for name, value in (
            *(("raw", 0.5), ("whitened", 0.6)),
            *(("raw-normalised", 0.9), ("whitened-normalised", 0.8)),
        )
    }
    assert headline(at) == {"plain": "whitened", "normalised": "raw-normalised"}


def test_what_the_laboratory_sets_is_refused() -> None:
    with pytest.raises(UserError, match=r"describe\.checkpoint is set by the laboratory"):
        arguments_of({"checkpoint": "x.ckpt"})
