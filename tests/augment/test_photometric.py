import dataclasses

import numpy as np
import pytest
from PIL import Image

from sscd.augment import fast_pixels, operations
from sscd.augment.augly.ops import encode_jpeg
from sscd.augment.photometric import (
    BLUR_COLUMN,
    BRIGHTNESS,
    COLUMNS,
    CONTRAST,
    FACTOR_COLUMNS,
    GREYSCALE_COLUMN,
    HUE,
    JPEG_COLUMN,
    ORDER_COLUMNS,
    SATURATION,
    Photometric,
    pack,
)
from sscd.data.procedural import draw_picture


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return draw_picture(seed=3, index=1, size=48)


def test_nothing_to_do_returns_the_picture(picture: Image.Image) -> None:
    assert Photometric().apply(picture).tobytes() == picture.tobytes()


def test_apply_is_the_named_operations_in_order(picture: Image.Image) -> None:
    before = picture.tobytes()
    view = Photometric(
        jitter_order=(CONTRAST, HUE, BRIGHTNESS, SATURATION),
        brightness=1.3,
        contrast=0.6,
        saturation=1.7,
        hue=-0.15,
        greyscale=False,
        blur=1.8,
        jpeg=35,
    )
    expected = operations.contrast(picture, factor=0.6)
    expected = fast_pixels.hue(expected, shift=-0.15)
    expected = operations.brightness(expected, factor=1.3)
    expected = operations.saturation(expected, factor=1.7)
    expected = fast_pixels.gaussian_blur(expected, radius=1.8)
    expected = encode_jpeg(expected, quality=35)
    assert view.apply(picture).tobytes() == expected.tobytes()
    assert picture.tobytes() == before


def test_greyscale_comes_before_blur_and_jpeg(picture: Image.Image) -> None:
    expected = encode_jpeg(operations.greyscale(picture), quality=0)
    assert Photometric(greyscale=True, jpeg=0).apply(picture).tobytes() == expected.tobytes()


def test_order_matters(picture: Image.Image) -> None:
    first = Photometric(jitter_order=(BRIGHTNESS, CONTRAST), brightness=1.8, contrast=0.3)
    second = dataclasses.replace(first, jitter_order=(CONTRAST, BRIGHTNESS))
    assert first.apply(picture).tobytes() != second.apply(picture).tobytes()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"jitter_order": (0, 0)}, "jitter_order"),
        ({"jitter_order": (0, 4)}, "jitter_order"),
        ({"jitter_order": (-1,)}, "jitter_order"),
        ({"brightness": -0.1}, "brightness"),
        ({"contrast": float("nan")}, "contrast"),
        ({"saturation": float("inf")}, "saturation"),
        ({"hue": 0.51}, "hue"),
        ({"hue": float("nan")}, "hue"),
        ({"blur": -1.0}, "blur"),
        ({"jpeg": 101}, "jpeg"),
        ({"jpeg": -1}, "jpeg"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} got"):
        Photometric(**values)  # type: ignore[arg-type]


def test_pack_puts_every_value_in_its_column() -> None:
    views = [
        Photometric((3, 1, 0, 2), 0.5, 1.5, 0.25, -0.125, greyscale=True, blur=2.5, jpeg=0),
        Photometric(),
    ]
    full, empty = pack(views)
    assert full.dtype.is_floating_point
    assert full[ORDER_COLUMNS].tolist() == [3, 1, 0, 2]
    assert full[FACTOR_COLUMNS].tolist() == [0.5, 1.5, 0.25, -0.125]
    assert (full[GREYSCALE_COLUMN], full[BLUR_COLUMN], full[JPEG_COLUMN]) == (1, 2.5, 0)
    assert empty[ORDER_COLUMNS].tolist() == [-1] * 4
    assert empty[FACTOR_COLUMNS].tolist() == [1, 1, 1, 0]
    assert (empty[GREYSCALE_COLUMN], empty[BLUR_COLUMN], empty[JPEG_COLUMN]) == (0, 0, -1)


def test_pack_of_none_has_the_columns() -> None:
    assert pack([]).shape == (0, COLUMNS)


def test_pack_keeps_what_float32_can() -> None:
    rng = np.random.default_rng(0)
    views = [Photometric(brightness=float(rng.uniform(0, 2))) for _ in range(20)]
    packed = pack(views)[:, FACTOR_COLUMNS.start + BRIGHTNESS].numpy()
    np.testing.assert_array_equal(packed, [np.float32(view.brightness) for view in views])
