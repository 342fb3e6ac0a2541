import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits import spatial
from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.operation import Edited, Operation


def _apply(operation: Operation, image: Image.Image, seed: int = 0) -> Edited:
    return operation(Canvas.of(image), np.random.default_rng(seed), None)


def test_a_crop_is_the_box_it_records(photo: Image.Image) -> None:
    for seed in range(50):
        edited, parameters = _apply(spatial.Crop((0.3, 0.9), (0.5, 2.0)), photo, seed)
        box = parameters["box"]
        assert isinstance(box, list)
        left, top, right, bottom = box
        assert edited.image.tobytes() == photo.crop((left, top, right, bottom)).tobytes()
        area = (right - left) * (bottom - top) / (80 * 60)
        assert 0.29 <= area <= 0.91
        assert edited.surviving_area == pytest.approx(area, abs=0.13)


def test_right_angles_and_flips_lose_nothing(photo: Image.Image) -> None:
    pixels = np.asarray(photo)
    seen = set()
    for seed in range(20):
        edited, parameters = _apply(spatial.RotateRightAngle((1, 3)), photo, seed)
        degrees = parameters["degrees"]
        assert isinstance(degrees, int)
        assert np.array_equal(np.asarray(edited.image), np.rot90(pixels, degrees // 90))
        assert edited.surviving_area == 1
        seen.add(degrees)
    assert seen == {90, 180, 270}
    mirrored, _ = _apply(spatial.HorizontalFlip(), photo)
    assert np.array_equal(np.asarray(mirrored.image), pixels[:, ::-1])
    upside_down, _ = _apply(spatial.VerticalFlip(), photo)
    assert np.array_equal(np.asarray(upside_down.image), pixels[::-1])
    assert np.asarray(upside_down.cells)[0, 0] == 32 * 31 + 1


def test_rotations_fill_or_crop(photo: Image.Image) -> None:
    kinds: dict[str, int] = {"cropped": 0, "black": 0, "other": 0}
    for seed in range(60):
        edited, parameters = _apply(spatial.Rotate((30, 60), 0.5, 0.5), photo, seed)
        degrees = parameters["degrees"]
        assert isinstance(degrees, float)
        assert 30 <= abs(degrees) <= 60
        if "cropped" in parameters:
            kinds["cropped"] += 1
            assert (np.asarray(edited.cells) > 0).mean() > 0.97
            continue
        kinds["black" if parameters["fill"] == [0, 0, 0] else "other"] += 1
        assert edited.surviving_area == 1
        assert list(np.asarray(edited.image)[0, 0]) == parameters["fill"]
        assert (np.asarray(edited.cells) > 0).sum() == pytest.approx(80 * 60, rel=0.03)
    assert min(kinds.values()) > 5


def test_padding_and_aspect_ratio_are_as_recorded(photo: Image.Image) -> None:
    for seed in range(20):
        padded, parameters = _apply(spatial.Padding((0.0, 0.3)), photo, seed)
        border = parameters["border"]
        assert isinstance(border, list)
        left, top, right, bottom = border
        assert padded.image.size == (80 + left + right, 60 + top + bottom)
        inside = (left, top, left + 80, top + 60)
        assert padded.image.crop(inside).tobytes() == photo.tobytes()
        assert (np.asarray(padded.cells) > 0).sum() == 80 * 60
    factors = []
    for seed in range(30):
        stretched, parameters = _apply(spatial.AspectRatio((1.5, 2.0)), photo, seed)
        factor = parameters["factor"]
        assert isinstance(factor, float)
        shape = stretched.image.width / stretched.image.height
        assert shape == pytest.approx(80 / 60 * factor, rel=0.03)
        assert stretched.surviving_area > 0.9
        factors.append(factor)
    assert {factor > 1 for factor in factors} == {True, False}
    assert all(1.5 <= max(factor, 1 / factor) <= 2.0 for factor in factors)


def test_perspectives_stay_convex_however_extreme(photo: Image.Image) -> None:
    for seed in range(60):
        edited, parameters = _apply(spatial.Perspective((1.0, 1.0), 1.0), photo, seed)
        assert edited.image.size == photo.size
        assert edited.surviving_area > 0.4
        corners = parameters["corners"]
        assert isinstance(corners, list)
        moves = np.array(corners) - [[0, 0], [80, 0], [80, 60], [0, 60]]
        assert (np.abs(moves) <= [16.001, 12.001]).all()
    still, _ = _apply(spatial.Perspective((0.0, 0.0), 1.0), photo)
    assert np.abs(np.asarray(still.image, float) - np.asarray(photo, float)).max() <= 1
