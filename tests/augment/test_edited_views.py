"""Views by chains of edits: what is drawn, what comes of it, what must be seen."""

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sscd.augment import operations
from sscd.augment.edited_views import EditedPlan, Edits
from sscd.augment.edits.catalogue import CATALOGUE
from sscd.augment.edits.table import load_table
from sscd.augment.edits_config import EditsConfig
from sscd.augment.photometric import Photometric
from sscd.augment.recipes import Recipe, RecipeConfig
from sscd.errors import UserError

BLUE = (0, 0, 255)


class BluePictures:
    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        return "blue", Image.new("RGB", (30 + int(rng.integers(30)), 40), BLUE)


def _photo(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def _only(*names: str, **settings: Any) -> EditsConfig:
    """The training table with these operations alone, one of them a view."""
    left_out = tuple(name for name in load_table("training").operations if name not in names)
    return EditsConfig(leave_out=left_out, **{"chain": {1: 1.0}, **settings})


def _edits(config: EditsConfig, *, crop_scale: tuple[float, float] = (0.25, 1.0)) -> Edits:
    return Edits(config, crop_scale=crop_scale, crop_ratio=(3 / 4, 4 / 3))


def _plans(edits: Edits, size: tuple[int, int], count: int) -> list[EditedPlan]:
    rng = np.random.default_rng(0)
    return [edits.plan(size, rng) for _ in range(count)]


def test_shares_and_chains_are_those_of_the_settings() -> None:
    config = EditsConfig(chain={2: 0.5, 3: 0.5}, share=0.8, crop=0.5, crop_first=0.25)
    plans = _plans(_edits(config), (60, 40), 2000)
    edited = [plan for plan in plans if plan.operations]
    assert len(edited) / 2000 == pytest.approx(0.8, abs=0.05)
    assert {plan.crop for plan in plans if not plan.operations} == {"first"}
    crops: Counter[str] = Counter(plan.crop for plan in edited)
    for crop, share in (("none", 0.5), ("first", 0.125), ("last", 0.375)):
        assert crops[crop] / len(edited) == pytest.approx(share, abs=0.05)
    lengths = Counter(len(plan.operations) for plan in edited)
    assert lengths[2] + lengths[3] == len(edited)
    assert lengths[2] / len(edited) == pytest.approx(0.5, abs=0.06)
    assert {name for plan in edited for name in plan.operations} == set(CATALOGUE)
    assert all((plan.box == (0, 0, 60, 40)) == (plan.crop != "first") for plan in edited[:200])


def test_views_are_those_of_the_plain_steps() -> None:
    picture = _photo(60, 45)
    first = _edits(_only("greyscale", crop_first=1.0, detail=8.0))
    last = _edits(_only("vertical_flip", crop_first=0.0, detail=8.0))
    for plan in _plans(first, picture.size, 10):
        expected = operations.greyscale(picture.crop(plan.box)).resize((16, 16), 2)
        assert plan.apply(picture, size=16, others=None).tobytes() == expected.tobytes()
    for plan in _plans(last, picture.size, 10):
        flipped = operations.vertical_flip(picture)
        box = operations.random_resized_crop_box(
            np.random.default_rng(plan.seed),
            width=60,
            height=45,
            scale=(0.25, 1.0),
            ratio=(3 / 4, 4 / 3),
        )
        expected = flipped.crop(box).resize((16, 16), Image.Resampling.BILINEAR)
        assert plan.apply(picture, size=16, others=None).tobytes() == expected.tobytes()


def test_unedited_views_are_crops_at_the_detail_asked_for() -> None:
    picture = _photo(300, 200)
    for plan in _plans(_edits(EditsConfig(share=0.0, detail=2.0)), picture.size, 10):
        left, top, right, bottom = plan.box
        scale = min(1.0, 40 / min(right - left, bottom - top))
        size = (round((right - left) * scale), round((bottom - top) * scale))
        small = picture.resize(size, Image.Resampling.BILINEAR, box=plan.box)
        view = plan.apply(picture, size=20, others=None)
        assert view.tobytes() == small.resize((20, 20), Image.Resampling.BILINEAR).tobytes()
        assert plan.reduction(20) == min(right - left, bottom - top) / 40


def test_a_plan_repeats_and_a_reduced_picture_gives_nearly_the_same_view() -> None:
    picture, others = _photo(400, 300), BluePictures()
    before, differences = picture.tobytes(), []
    for plan in _plans(_edits(EditsConfig()), picture.size, 60):
        view = plan.apply(picture, size=32, others=others)
        assert view.tobytes() == plan.apply(picture, size=32, others=others).tobytes()
        assert (view.mode, view.size) == ("RGB", (32, 32))
        half = plan.apply(picture.reduce(2), size=32, others=others)
        differences.append(np.abs(np.asarray(view).astype(int) - np.asarray(half)).mean())
    assert picture.tobytes() == before
    # What looks for a salient part may find another one.
    assert np.median(differences) < 2
    assert np.mean(np.array(differences) > 15) < 0.1


def test_enough_of_the_source_is_seen_in_every_view() -> None:
    red, others = Image.new("RGB", (80, 60), (255, 0, 0)), BluePictures()
    config = _only("onto_background", "collage", chain={2: 1.0}, crop_first=0.0)
    edits = _edits(config, crop_scale=(0.05, 0.3))
    shares = []
    for plan in _plans(edits, red.size, 80):
        view = np.asarray(plan.apply(red, size=32, others=others)).astype(int)
        shares.append(np.mean(view[..., 0] > view[..., 2]))
    assert min(shares) > 0.8 * edits.table.minimum_share_of_picture
    assert np.mean(np.array(shares) < 0.9) > 0.5  # and so it is not the plain crop


def test_a_view_in_which_too_little_can_be_seen_is_the_plain_crop() -> None:
    # In such detail that no crop is shrunk before it is edited.
    edits = _edits(_only("onto_background", crop_first=1.0, detail=8.0))
    edits.table = dataclasses.replace(edits.table, minimum_share_of_picture=1.0)
    picture = _photo(40, 40)
    for plan in _plans(edits, picture.size, 5):
        expected = picture.crop(plan.box).resize((16, 16), Image.Resampling.BILINEAR)
        view = plan.apply(picture, size=16, others=BluePictures())
        assert view.tobytes() == expected.tobytes()


def test_other_pictures_are_asked_for() -> None:
    plan = _plans(_edits(_only("onto_background")), (20, 20), 1)[0]
    with pytest.raises(ValueError, match="secondary got None"):
        plan.apply(_photo(20, 20), size=8, others=None)
    assert Recipe(RecipeConfig("edits", edits=_only("collage")), size=8).needs_others
    assert not Recipe(RecipeConfig("edits", edits=_only("blur")), size=8).needs_others
    assert not Recipe(RecipeConfig(), size=8).needs_others


def test_a_plan_is_plain_values_and_leaves_nothing_to_the_device() -> None:
    plan = Recipe(RecipeConfig("edits"), size=8).plan((30, 20), np.random.default_rng(0))
    assert plan.photometric == Photometric()
    values = json.loads(json.dumps(plan.as_json()))
    assert set(values) == {"picture", "operations", "crop", "box", "seed"}


def test_the_record_of_a_recipe_tells_of_edits_where_they_are_made() -> None:
    assert "edits" not in RecipeConfig().as_record()
    assert RecipeConfig("edits").as_record()["edits"]["table"] == "training"


def test_what_training_draws_is_drawn_otherwise_by_the_benchmarks() -> None:
    training = load_table("training")
    assert set(training.operations) == set(CATALOGUE)
    for name in ("phase1", "phase2", "by_hand", "air_gap"):
        for operation, theirs in load_table(name).operations.items():
            mine = dataclasses.asdict(training.operations[operation])  # type: ignore[call-overload]
            for field, value in dataclasses.asdict(theirs).items():  # type: ignore[call-overload]
                if not isinstance(value, tuple) or isinstance(value[0], str):
                    continue
                if value not in ((-90, 90), (1, 3)):
                    assert mine[field] != value, (name, operation, field)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 1.5}, "share got 1.5"),
        ({"crop": -0.1}, "crop got -0.1"),
        ({"crop_first": float("nan")}, "crop_first got nan"),
        ({"detail": 0.5}, "detail got 0.5"),
        ({"others": 0}, "others got 0"),
        ({"chain": {}}, "chain got"),
        ({"chain": {1: 0.5}}, "add up to 0.5"),
        ({"chain": {0: 1.0}}, "whole number from 1"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EditsConfig(**settings)


def test_a_wrong_table_is_named_before_anything_is_done(tmp_path: Path) -> None:
    RecipeConfig("advanced", edits=EditsConfig(table="nothing"))  # it is not asked for
    with pytest.raises(UserError, match="nothing is neither a file"):
        RecipeConfig("edits", edits=EditsConfig(table="nothing"))
    with pytest.raises(UserError, match="no operation 'sepia'"):
        RecipeConfig("edits", edits=EditsConfig(leave_out=("sepia",)))
    (tmp_path / "wrong.yaml").write_text("name: wrong\n")
    with pytest.raises(UserError, match="'about' is missing"):
        RecipeConfig("edits", edits=EditsConfig(table=str(tmp_path / "wrong.yaml")))
