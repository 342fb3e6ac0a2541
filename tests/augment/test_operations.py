import math

import numpy as np
import pytest
from PIL import Image

from sscd.augment import operations
from sscd.augment.geometry import Geometry


@pytest.fixture(name="image")
def _image() -> Image.Image:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 10, 3), dtype=np.uint8))
    return coarse.resize((50, 40), Image.Resampling.BICUBIC)


def test_crop_boxes_keep_their_ranges() -> None:
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(2000):
        left, top, right, bottom = operations.random_resized_crop_box(
            rng, width=160, height=120, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3)
        )
        assert 0 <= left < right <= 160
        assert 0 <= top < bottom <= 120
        assert 0.7 <= (right - left) / (bottom - top) <= 1.42
        areas.append((right - left) * (bottom - top) / (160 * 120))
    assert min(areas) > 0.075
    assert min(areas) < 0.1
    assert max(areas) > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_crop_box_of_extreme_pictures_is_never_empty(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        left, top, right, bottom = operations.random_resized_crop_box(
            rng, width=shape[0], height=shape[1], scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3)
        )
        assert 0 <= left < right <= shape[0]
        assert 0 <= top < bottom <= shape[1]


def test_the_fallback_is_the_largest_central_crop() -> None:
    box = operations.random_resized_crop_box(
        np.random.default_rng(0), width=100, height=10, scale=(1, 1), ratio=(0.5, 2)
    )
    assert box == (40, 0, 60, 10)


def test_crop_and_color_equal_torchvision(image: Image.Image) -> None:
    twin = pytest.importorskip("torchvision.transforms.functional")
    cropped = Geometry(picture=image.size, box=(3, 5, 33, 35)).apply(image, size=24)
    assert cropped.tobytes() == twin.resized_crop(image, 5, 3, 30, 30, [24, 24]).tobytes()
    for factor in (0.0, 0.4, 1.0, 1.7):
        pairs = (
            (operations.brightness(image, factor=factor), twin.adjust_brightness(image, factor)),
            (operations.contrast(image, factor=factor), twin.adjust_contrast(image, factor)),
            (operations.saturation(image, factor=factor), twin.adjust_saturation(image, factor)),
        )
        assert all(ours.tobytes() == theirs.tobytes() for ours, theirs in pairs)
    for shift in (-0.5, -0.13, 0.0, 0.2, 0.5):
        assert (
            operations.hue(image, shift=shift).tobytes() == twin.adjust_hue(image, shift).tobytes()
        )
    grey = twin.rgb_to_grayscale(image, num_output_channels=3)
    assert operations.greyscale(image).tobytes() == grey.tobytes()


def test_rotations_and_flips_undo(image: Image.Image) -> None:
    quarter = operations.rotate_right_angle(image, degrees=90)
    assert quarter.size == (40, 50)
    assert operations.rotate_right_angle(quarter, degrees=270).tobytes() == image.tobytes()
    half = operations.rotate_right_angle(image, degrees=180)
    assert np.array_equal(np.asarray(half), np.asarray(image)[::-1, ::-1])
    flipped = operations.horizontal_flip(image)
    assert np.array_equal(np.asarray(flipped), np.asarray(image)[:, ::-1])
    with pytest.raises(ValueError, match="got 45"):
        operations.rotate_right_angle(image, degrees=45)


def test_inscribed_rectangle_equals_augly() -> None:
    pytest.importorskip("pylibmagic")
    twin = pytest.importorskip("augly.image.utils").rotated_rect_with_max_area
    rng = np.random.default_rng(0)
    for _ in range(300):
        width, height = rng.integers(1, 300, 2).tolist()
        degrees = float(rng.uniform(0, 359))
        expected = twin(width, height, degrees)
        ours = operations.inscribed_rectangle(width, height, degrees=degrees)
        assert ours == pytest.approx(expected, rel=1e-6)
        assert math.prod(ours) <= width * height * (1 + 1e-9)


def test_cropped_rotation_shows_no_corner() -> None:
    white = Image.new("RGB", (60, 40), (255, 255, 255))
    for degrees in (0.0, 7.0, 45.0, 90.0, 133.0, 271.0):
        low = np.asarray(operations.rotate_cropped(white, degrees=degrees))[1:-1, 1:-1].min()
        assert low == 255
    filled = operations.rotate_filled(white, degrees=45, fill=(9, 8, 7))
    assert filled.getpixel((0, 0)) == (9, 8, 7)
    assert operations.rotate_cropped(Image.new("RGB", (1, 1)), degrees=30).size == (1, 1)


def test_blur_pad_aspect(image: Image.Image) -> None:
    blurred = operations.gaussian_blur(image, radius=3)
    assert np.asarray(blurred).std() < np.asarray(image).std()
    padded = operations.pad(image, border=(1, 2, 3, 4), color=(5, 6, 7))
    assert padded.size == (54, 46)
    assert padded.crop((1, 2, 51, 42)).tobytes() == image.tobytes()
    assert padded.getpixel((0, 0)) == (5, 6, 7)
    wide = operations.change_aspect_ratio(image, factor=2)
    assert wide.width / wide.height == pytest.approx(2.5, rel=0.05)
    assert wide.width * wide.height == pytest.approx(2000, rel=0.05)


def test_numbers_of_regions_are_never_mixed(image: Image.Image) -> None:
    rows, columns = np.mgrid[:40, :50]
    regions = Image.fromarray((1000 * (1 + rows // 20) + columns // 25).astype(np.int32))
    known = {0, 1000, 1001, 2000, 2001}
    for moved in (
        operations.rotate_filled(regions, degrees=33, fill=0),
        operations.rotate_cropped(regions, degrees=33),
        operations.change_aspect_ratio(regions, factor=1.7),
        operations.resize(regions, width=33, height=71),
        operations.pad(regions, border=(1, 2, 3, 4), color=0),
        operations.vertical_flip(regions),
    ):
        assert moved.mode == "I"
        assert set(np.asarray(moved).ravel().tolist()) <= known
    resized = operations.resize(image, width=33, height=71)
    assert resized.tobytes() == image.resize((33, 71), Image.Resampling.BICUBIC).tobytes()
    flipped = operations.vertical_flip(image)
    assert np.array_equal(np.asarray(flipped), np.asarray(image)[::-1])


def test_a_box_of_the_rotated_picture_is_that_of_pillow(image: Image.Image) -> None:
    for degrees in (0.0, 17.3, 123.4, 200.5, 358.9):
        whole = image.rotate(degrees, Image.Resampling.BILINEAR)
        assert operations.rotate_in_place(image, degrees=degrees).tobytes() == whole.tobytes()
        for box in ((3, 5, 33, 35), (0, 0, 1, 1), (49, 39, 50, 40)):
            part = operations.rotate_in_place(image, degrees=degrees, box=box)
            assert part.tobytes() == whole.crop(box).tobytes(), (degrees, box)
