"""Which views a picture gets in which epoch."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd.augment.curriculum import CurriculumConfig
from sscd.augment.epoch_views import EpochViews, PlannedView
from sscd.augment.photometric import Photometric
from sscd.augment.recipes import Recipe, RecipeConfig, ViewPlan
from sscd.augment.schedule import ViewSchedule
from sscd.augment.view_kinds import GentleConfig, LocalConfig

PICTURE = (90, 60)
RECIPE = Recipe(RecipeConfig("simclr", (0.2, 0.4)), size=24)


def stream(view: int) -> np.random.Generator:
    return np.random.default_rng(100 + view)


def plans(views: EpochViews) -> list[PlannedView]:
    return views.plans(PICTURE, stream)


def share_of(view: PlannedView) -> float:
    """The crop's area over the picture's."""
    assert isinstance(view.plan, ViewPlan)
    left, top, right, bottom = view.plan.geometry.box
    return (right - left) * (bottom - top) / (PICTURE[0] * PICTURE[1])


def test_by_default_there_are_the_views_of_the_recipe_alone() -> None:
    views = ViewSchedule().at(3, RECIPE, views=2)
    assert views.counts == (2, 0, 0)
    assert [v.plan for v in plans(views)] == [RECIPE.plan(PICTURE, stream(v)) for v in range(2)]
    assert (views.size, views.pixels) == (24, 2 * 24**2)
    assert ViewSchedule().as_record() == {}


def test_all_kinds_come_in_the_order_of_rows_each_from_its_own_stream() -> None:
    schedule = ViewSchedule(
        gentle=GentleConfig(1), local=LocalConfig(2, 8, (0.05, 0.1)), unedited="negatives"
    )
    made = schedule.at(0, RECIPE, views=3)
    assert made.counts == (3, 2, 1)
    assert made.pixels == 4 * 24**2 + 2 * 8**2
    gentle, *strong, first, second, unedited = plans(made)
    assert gentle == unedited
    assert share_of(gentle) == 1
    assert gentle.plan.photometric == Photometric()
    assert [v.plan for v in strong] == [RECIPE.plan(PICTURE, stream(v)) for v in (1, 2)]
    local = Recipe(RecipeConfig("simclr", (0.05, 0.1)), size=8)
    assert [v.plan for v in (first, second)] == [local.plan(PICTURE, stream(v)) for v in (3, 4)]
    assert [v.size for v in plans(made)] == [24] * 3 + [8] * 2 + [24]


def test_the_unedited_picture_is_the_whole_of_it() -> None:
    y, x = np.mgrid[0:60, 0:90]
    picture = Image.fromarray(np.stack([x * 2, y * 4, x + y], axis=-1).astype(np.uint8))
    *_, unedited = plans(ViewSchedule(unedited="negatives").at(0, RECIPE, views=2))
    expected = picture.resize((24, 24), Image.Resampling.BILINEAR)
    assert unedited.apply(picture).tobytes() == expected.tobytes()
    assert unedited.reduction == 60 / 24


def test_views_grow_and_local_ones_do_not() -> None:
    schedule = ViewSchedule(
        progression=((0.0, 10), (0.5, 24)),
        local=LocalConfig(1, 8),
        gentle=GentleConfig(1),
        epochs=4,
    )
    for epoch, size in enumerate((10, 10, 24, 24)):
        views = schedule.at(epoch, RECIPE, views=2)
        assert [v.size for v in plans(views)] == [size, size, 8]
    (_, small), (_, large) = (schedule.at(epoch, RECIPE, views=2).views for epoch in (0, 2))
    small_blurs, blurs = (
        np.array([maker.plan(PICTURE, stream(n)).photometric.blur for n in range(9)])
        for maker in (small, large)
    )
    assert small_blurs / 10 == pytest.approx(blurs / 24)
    assert blurs.max() > 0
    assert schedule.largest(RECIPE, views=2).pixels == 2 * 24**2 + 8**2
    assert schedule.as_record()["progression"] == [[0.0, 10], [0.5, 24]]


def test_the_largest_views_need_not_be_the_last() -> None:
    schedule = ViewSchedule(progression=((0.0, 40), (0.5, 24)), epochs=2)
    assert schedule.largest(RECIPE, views=2).pixels == 2 * 40**2


def test_crops_grow_smaller_over_a_curriculum() -> None:
    schedule = ViewSchedule(
        curriculum=CurriculumConfig(until=0.5, crop_scale=(0.9, 1.0)),
        local=LocalConfig(1, 8, (0.05, 0.1)),
        epochs=4,
    )
    shares = [
        [share_of(v) for v in schedule.at(e, RECIPE, views=2).plans((90, 90), stream)]
        for e in range(4)
    ]
    scaled = np.array(shares) * PICTURE[0] * PICTURE[1] / 90**2
    assert scaled[0, :2].min() > 0.88
    assert 0.53 < scaled[1, :2].min() <= scaled[1, :2].max() < 0.72
    assert scaled[2:, :2].max() < 0.42
    assert scaled[:, 2].max() < 0.12  # local crops stay as they are
    assert np.array_equal(scaled[2], scaled[3])


def test_a_share_of_the_views_is_plain_at_first() -> None:
    schedule = ViewSchedule(curriculum=CurriculumConfig(until=1.0, share=0.2), epochs=2)
    counts = []
    for epoch in (0, 1):
        (maker, _) = schedule.at(epoch, RECIPE, views=2).views
        drawn = [maker.plan(PICTURE, np.random.default_rng(n)) for n in range(400)]
        # Of the strong ones half are blurred, and no plain one is.
        counts.append(Counter(plan.photometric.blur > 0 for plan in drawn)[True])
    assert 20 < counts[0] < 65  # 40 expected
    assert 90 < counts[1] < 150  # 120
    *_, last = (schedule.at(epoch, RECIPE, views=2).views[0] for epoch in (0, 1, 2))
    assert last is RECIPE


def test_how_long_the_training_is_must_be_known() -> None:
    with pytest.raises(ValueError, match="epochs got None"):
        ViewSchedule(progression=((0.0, 24),)).at(0, RECIPE, views=2)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (ViewSchedule(GentleConfig(2)), "gentle.views got 2 of 2 views; expected fewer"),
        (ViewSchedule(progression=((0.0, 48),)), "ends with 48 px, image_size is 64"),
    ],
)
def test_what_does_not_fit(schedule: ViewSchedule, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        schedule.check(views=2, image_size=64)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (GentleConfig, {"views": -1}, "gentle.views got -1"),
        (LocalConfig, {"views": -1}, "local.views and size got -1"),
        (LocalConfig, {"size": 0}, "local.views and size got 0 and 0"),
        (LocalConfig, {"crop_scale": (0.5, 2.0)}, "local.crop_scale got"),
    ],
)
def test_wrong_values(kind: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**values)
