"""Pictures under and beside views: the same whatever was decoded before, others in each epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sscd.augment.edits_config import EditsConfig
from sscd.augment.photometric import Photometric, pack
from sscd.augment.recipes import Recipe, RecipeConfig, RecipeName
from sscd.augment.schedule import ViewSchedule
from sscd.augment.view_kinds import GentleConfig
from sscd.data.loading.loader import make_loader
from sscd.data.loading.other_pictures import OtherPictures
from sscd.data.loading.samplers import EpochSampler
from sscd.data.loading.training_views import TrainingViews, collate_views
from sscd.data.records import ImageSet
from sscd.data.shards.pictures import ShardedPictures
from sscd.errors import UserError

COUNT = 12


@pytest.fixture
def pictures(tmp_path: Path) -> ImageSet:
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        noise = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{index:02}.png")
    return ImageSet.from_names("x", root=tmp_path, names=[f"{i:02}.png" for i in range(COUNT)])


def others_of(images: ImageSet, **settings: Any) -> OtherPictures:
    return OtherPictures(images, **{"count": 5, "side": 20, "seed": 0, **settings})


def picks(others: OtherPictures, count: int = 60) -> list[str]:
    return [others.pick(np.random.default_rng(i))[0] for i in range(count)]


def test_what_is_picked_follows_from_the_stream_alone(pictures: ImageSet) -> None:
    some, again = others_of(pictures), others_of(pictures)
    forward = picks(some)
    assert [again.pick(np.random.default_rng(i))[0] for i in range(59, -1, -1)] == forward[::-1]
    assert len(set(forward)) == 5
    name, picture = some.pick(np.random.default_rng(3))
    assert picture is some.pick(np.random.default_rng(3))[1]
    assert picture.size == (25, 20)
    full = Image.open(pictures.path(pictures.ids.index(name)))
    assert picture.tobytes() == full.resize((25, 20), Image.Resampling.BILINEAR).tobytes()
    assert others_of(pictures, side=900).pick(np.random.default_rng(0))[1].size == (50, 40)


def test_each_epoch_and_seed_has_its_own(pictures: ImageSet) -> None:
    some = others_of(pictures)
    epochs = [set(picks(some.of(epoch))) for epoch in range(6)]
    assert len({frozenset(names) for names in epochs}) > 3
    assert set(picks(some.of(0))) == epochs[0]
    assert set(picks(others_of(pictures, seed=1))) != epochs[0]
    every = others_of(pictures, count=99)
    assert set(picks(every, 200)) == set(pictures.ids)
    kept = every.pick(np.random.default_rng(0))[1]
    assert all(every.of(1).pick(np.random.default_rng(0))[1] is not None for _ in range(2))
    assert any(every.pick(np.random.default_rng(i))[1] is kept for i in range(99))


def test_a_broken_one_is_replaced_by_the_next(pictures: ImageSet) -> None:
    pictures.path(3).write_bytes(b"")
    some = others_of(pictures, count=COUNT)
    named = dict(some.pick(np.random.default_rng(i)) for i in range(200))
    assert named["03"].tobytes() == named["04"].tobytes()
    for index in range(COUNT):
        pictures.path(index).write_bytes(b"")
    with pytest.raises(UserError, match=r"the 11 pictures after it cannot be read \(empty file\)"):
        others_of(pictures).pick(np.random.default_rng(0))


def test_pictures_of_shards_come_in_runs() -> None:
    class Many(ShardedPictures):
        def __init__(self) -> None:
            pass

        def __len__(self) -> int:
            return 1000

    numbers = OtherPictures(Many(), count=200, side=8, seed=0)._choose()
    assert len(set(numbers.tolist())) == len(numbers) <= 200
    assert len({number // 64 for number in numbers.tolist()}) == 4
    assert max(numbers) < 1000


def edited(pictures: ImageSet, *, finished: bool = True) -> TrainingViews:
    edits = EditsConfig(chain={1: 0.5, 3: 0.5}, others=6)
    recipe = Recipe(RecipeConfig("edits", edits=edits), size=24)
    return TrainingViews(pictures, recipe, seed=3, finished=finished)


def test_edited_views_do_not_depend_on_workers_or_order(pictures: ImageSet) -> None:
    alone = {(epoch, i): edited(pictures)[epoch, i].views for epoch in (1, 0) for i in range(COUNT)}
    for epoch in (0, 1):
        sampler = EpochSampler(COUNT, seed=0, rank=0, ranks=1)
        sampler.set_epoch(epoch)
        loader = make_loader(
            edited(pictures), collate_views, workers=2, sampler=sampler, batch_size=4
        )
        for batch in loader:
            for number, views in zip(batch.contents[:, 0, 0].tolist(), batch.views, strict=True):
                assert torch.equal(views, alone[epoch, number])


def test_the_device_has_nothing_left_to_do(pictures: ImageSet) -> None:
    done, left = edited(pictures)[0, 0], edited(pictures, finished=False)[0, 0]
    assert torch.equal(done.views, left.views)
    assert left.photometric is not None
    assert torch.equal(left.photometric, pack([Photometric()] * 2))


@pytest.mark.parametrize(
    ("recipe", "gentle", "views", "expected"),
    [
        ("edits", "whole", 1, 2),  # the gentle recipe lays nothing under its views
        ("advanced", "edits", 1, 3),
        ("edits", "edits", 1, 3),
        ("edits", "edits", 0, 2),
    ],
)
def test_there_are_as_many_as_the_recipe_that_lays_them_asks_for(
    pictures: ImageSet, recipe: RecipeName, gentle: RecipeName, views: int, expected: int
) -> None:
    own = RecipeConfig(recipe, edits=EditsConfig(others=2))
    other = GentleConfig(views, RecipeConfig(gentle, edits=EditsConfig(others=3)))
    made = TrainingViews(pictures, Recipe(own, size=32), schedule=ViewSchedule(gentle=other))
    assert len({made.others.of(0).pick(np.random.default_rng(i))[0] for i in range(60)}) == expected
