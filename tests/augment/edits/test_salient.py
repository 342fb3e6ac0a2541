import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sscd.augment.edits.canvas import GRID, Canvas
from sscd.augment.edits.operation import Operation
from sscd.augment.edits.salient import CircleSalient, KeepSalientSharp, PasteSalient

CIRCLE = CircleSalient(
    share=(0.08, 0.3),
    margin=(1.05, 1.35),
    pen=(0.01, 0.03),
    turns=(1.0, 2.2),
    wobble=(0.01, 0.05),
    opacity=(0.8, 1.0),
)
PASTE = PasteSalient(share=(0.3, 0.55), outlined=0.6, size=(0.5, 0.9), angle=(-20.0, 20.0))
SHARP = KeepSalientSharp(share=(0.15, 0.4), radius=(0.015, 0.05))
OPERATIONS: list[Operation] = [CIRCLE, PASTE, SHARP]


class Others:
    """Plain pictures of one colour, none of which a drawn background has."""

    def pick(self, rng: np.random.Generator) -> tuple[str, Image.Image]:
        return f"S{int(rng.integers(10))}", Image.new("RGB", (50, 90), (1, 2, 253))


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def ramp(width: int, height: int) -> Image.Image:
    """Red says how far to the right a pixel is, green how far down; blue is 0."""
    red = np.tile((np.arange(width) + 0.5) * 255 / width, (height, 1))
    green = np.tile(((np.arange(height) + 0.5) * 255 / height)[:, None], (1, width))
    return Image.fromarray(np.round(np.stack([red, green, 0 * red], 2)).astype(np.uint8))


def with_disc() -> Image.Image:
    image = Image.new("RGB", (200, 150), (90, 110, 120))
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((90, 50, 140, 100), 255)
    image.paste(noise(200, 150), mask=mask)
    return image


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (213, 160), (1024, 768)])
def test_salient_parts_are_edited_on_any_picture(
    operation: Operation, size: tuple[int, int]
) -> None:
    canvas = Canvas.of(noise(*size))
    before = np.array(canvas.image)
    for seed in range(6):
        secondary = Others() if seed % 2 else None
        edited, parameters = operation(canvas, np.random.default_rng(seed), secondary)
        assert edited.image.size == edited.cells.size == size
        assert edited.image.mode == "RGB"
        assert json.loads(json.dumps(parameters)) == parameters
    np.testing.assert_array_equal(np.asarray(canvas.image), before)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_edits_of_salient_parts_follow_from_the_random_stream(operation: Operation) -> None:
    canvas = Canvas.of(noise(100, 80))
    first, again, other = (
        operation(canvas, np.random.default_rng(seed), None) for seed in (5, 5, 6)
    )
    assert first[0].image.tobytes() == again[0].image.tobytes()
    assert first[1] == again[1]
    assert first[0].image.tobytes() != other[0].image.tobytes()


def test_the_circle_goes_round_the_salient_part() -> None:
    canvas = Canvas.of(with_disc())
    for seed in range(10):
        edited, _ = CIRCLE(canvas, np.random.default_rng(seed), None)
        ink = np.asarray(edited.cells) == 0
        rows, columns = np.nonzero(ink)
        assert columns.min() < 95  # the disc: 90 to 140
        assert columns.max() > 135
        assert rows.min() < 55  # the disc: 50 to 100
        assert rows.max() > 95
        assert not ink[70:80, 110:120].any()
        assert edited.surviving_area > 0.9


@pytest.mark.parametrize("outlined", [0.0, 1.0])
def test_a_cut_out_shows_the_cells_that_its_pixels_come_from(outlined: float) -> None:
    width, height = 240, 180
    paste = PasteSalient(
        share=(0.3, 0.5), outlined=outlined, size=(0.6, 1.0), angle=(-30.0, 30.0)
    )  # fmt: skip
    canvas = Canvas.of(ramp(width, height))
    for seed in range(8):
        edited, parameters = paste(canvas, np.random.default_rng(seed), Others())
        cells, image = np.asarray(edited.cells), np.asarray(edited.image).astype(float)
        # What the background shines through at the edge is no longer in the ramp's colours.
        clear = (cells > 0) & (image[..., 2] < 3)
        assert clear.sum() > 0.6 * (cells > 0).sum()
        column, row = (cells[clear] - 1) % GRID, (cells[clear] - 1) // GRID
        x, y = image[clear][:, 0] / 255 * GRID, image[clear][:, 1] / 255 * GRID
        assert np.abs(x - (column + 0.5)).max() < 0.9
        assert np.abs(y - (row + 0.5)).max() < 0.9
        assert (image[cells == 0][:, 2] > 100).mean() > 0.98
        box = parameters["box"]
        assert isinstance(box, list)
        left, top, right, bottom = box
        inside = (right - left) * (bottom - top) / (width * height)
        assert edited.surviving_area <= inside + 0.15
        assert edited.surviving_area > (0.15 if outlined else 0.7 * inside)


def test_a_cut_out_lies_on_a_secondary_picture_where_there_are_any() -> None:
    canvas = Canvas.of(with_disc())
    for seed in range(4):
        edited, parameters = PASTE(canvas, np.random.default_rng(seed), Others())
        background = parameters["background"]
        assert isinstance(background, dict)
        assert str(background["secondary"]).startswith("S")
        ground = np.asarray(edited.image)[np.asarray(edited.cells) == 0]
        assert (ground == (1, 2, 253)).all(axis=1).mean() > 0.7
        drawn, parameters = PASTE(canvas, np.random.default_rng(seed), None)
        assert "kind" in parameters["background"]  # type: ignore[operator]
        assert not (np.asarray(drawn.image) == (1, 2, 253)).all(axis=2).any()


def test_the_salient_part_stays_sharp_and_the_rest_blurs() -> None:
    canvas = Canvas.of(noise(200, 150))
    for seed in range(5):
        edited, parameters = SHARP(canvas, np.random.default_rng(seed), None)
        before, after = np.asarray(canvas.image), np.asarray(edited.image)
        same = (before == after).all(axis=2)
        assert 0.08 < same.mean() < 0.5
        rows, columns = np.nonzero(same)
        box = parameters["box"]
        assert isinstance(box, list)
        left, top, right, bottom = box
        within = (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)
        assert within.mean() > 0.95
        assert after[~same].std() < 0.9 * before[~same].std()
        np.testing.assert_array_equal(np.asarray(edited.cells), np.asarray(canvas.cells))
