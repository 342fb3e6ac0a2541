from pathlib import Path

import numpy as np
import pytest

from sscd.baselines.how.features import sampled_features, some_pictures
from sscd.data.records import ImageSet
from sscd.data.skipped import SkipLog
from sscd.models.describer import Describer
from tests.baselines.how.small import INFERENCE, local_network, write_pictures


@pytest.fixture
def pictures(tmp_path: Path) -> ImageSet:
    return write_pictures(tmp_path, "training", 8, first=0, broken=(2,))


def sampled(pictures: ImageSet, *, wanted: int, workers: int = 0, limit: int = 100) -> np.ndarray:
    describer = Describer.build(
        local_network(), INFERENCE, batch_size=2, workers=workers, device="cpu"
    )
    skipped = SkipLog()
    found = sampled_features(describer, pictures, limit=limit, wanted=wanted, skipped=skipped)
    assert len(skipped) == 1
    return found


def test_each_picture_gives_its_share_of_descriptors(pictures: ImageSet) -> None:
    every = sampled(pictures, wanted=10**6)
    some = sampled(pictures, wanted=16)
    # 48 × 48 pixels have 3 × 3 cells at stage 3, and 48 × 30 and 34 × 48 have 3 × 2 and 3 × 3.
    assert len(some) == 7 * 2 < len(every)
    known = {tuple(row) for row in every.round(4).tolist()}
    assert all(tuple(row) in known for row in some.round(4).tolist())
    assert len(sampled(pictures, wanted=10**6, limit=1)) == 7


def test_workers_change_nothing(pictures: ImageSet) -> None:
    one, two = (sampled(pictures, wanted=24, workers=workers) for workers in (0, 2))
    assert one == pytest.approx(two, abs=1e-5)


def test_some_pictures_are_the_same_ones_in_any_set(pictures: ImageSet) -> None:
    chosen = some_pictures(pictures, 3)
    assert len(chosen) == 3
    assert chosen.ids == sorted(chosen.ids)
    assert some_pictures(pictures, 8) is pictures
    fewer = pictures.subset([place for place in range(8) if pictures.id(place) in chosen.ids])
    assert some_pictures(fewer, 3).ids == chosen.ids
