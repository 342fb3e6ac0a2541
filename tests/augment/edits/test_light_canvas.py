"""The canvas of training: the pixels of the other one, and roughly its shares."""

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.light_canvas import LightCanvas, coarse, cropped
from sscd.augment.edits.operation import SecondaryPictures
from sscd.augment.edits.table import load_table

TRAINING = load_table("training")
COVERING = {"text_overlay", "emoji_overlay", "stripes", "handwriting", "drawing", "circle_salient"}


@pytest.mark.parametrize("name", TRAINING.operations)
def test_pixels_are_those_of_the_whole_canvas(
    name: str, photo: Image.Image, secondary: SecondaryPictures
) -> None:
    operation = TRAINING.operations[name]
    for seed in range(3):
        whole, parameters = operation(Canvas.of(photo), np.random.default_rng(seed), secondary)
        light, same = operation(LightCanvas.of(photo), np.random.default_rng(seed), secondary)
        assert light.image.tobytes() == whole.image.tobytes()
        assert same == parameters
        assert light.share_of_picture >= whole.share_of_picture
        if name not in COVERING:
            assert light.share_of_picture == whole.share_of_picture
            assert light.surviving_area == pytest.approx(1, abs=1e-9) or name in {
                *("crop", "rotation", "perspective", "paste_salient", "air_gap"),
            }


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 48), (127, 95)])
def test_of_a_picture_all_is_seen_at_first(size: tuple[int, int]) -> None:
    canvas = LightCanvas.of(Image.new("RGB", size))
    assert canvas.surviving_area == 1.0
    assert canvas.share_of_picture == 1.0
    assert coarse(canvas).surviving_area == 1.0
    with pytest.raises(ValueError, match="expected RGB"):
        LightCanvas.of(Image.new("L", size))


def test_a_crop_leaves_the_cells_that_it_meets() -> None:
    picture = Image.new("RGB", (80, 80))
    canvas = LightCanvas.of(picture)
    assert cropped(canvas, (0, 0, 40, 20)).surviving_area == 4 * 2 / 64
    beside = canvas.pasted_onto(Image.new("RGB", (160, 80)), x=80, y=0)
    assert coarse(beside).share_of_picture == 0.5
    assert coarse(cropped(beside, (0, 0, 80, 80))).surviving_area == 0.0
    assert coarse(cropped(beside, (70, 0, 90, 80))).surviving_area == 8 / 64


def test_what_is_laid_over_or_scattered_does_not_count() -> None:
    canvas = LightCanvas.of(Image.new("RGB", (20, 20)))

    def mask() -> Image.Image:
        raise AssertionError("drawn for nothing")

    other = Image.new("RGB", (20, 20), (9, 9, 9))
    assert canvas.covered(other, mask).surviving_area == 1.0
    assert canvas.scattered(other, 0.9).surviving_area == 1.0
    assert canvas.covered(other, mask).image is other
