from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.baselines.gist.resizing import crop_for_gist
from sscd.data.decode import load_image

SHARED = Path(__file__).resolve().parents[4] / "shared"
PHOTOS, LEAR_GIST = SHARED / "photos", SHARED / "gist" / "lear_gist.npz"


@pytest.mark.skipif(
    not (PHOTOS.is_dir() and LEAR_GIST.is_file()), reason="the shared photographs are not here"
)
def test_crops_are_those_that_lear_gist_was_given() -> None:
    with np.load(LEAR_GIST) as file:
        names, crops = file["names"], file["crops"]
    wrong = [
        name
        for name, crop in zip(names, crops, strict=True)
        if not np.array_equal(crop_for_gist(load_image(PHOTOS / name)), crop)
    ]
    assert len(names) == 100
    assert wrong == []


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_a_picture_of_32_pixels_is_cut_in_the_middle() -> None:
    image = noise(71, 32)
    np.testing.assert_array_equal(crop_for_gist(image), np.asarray(image)[:, 19:51])
    image = noise(32, 64)
    np.testing.assert_array_equal(crop_for_gist(image), np.asarray(image)[16:48])


def test_the_longer_side_is_rounded_down() -> None:
    # 50 · 32 / 33 = 48.48: of the 48 columns, 8 are left out on either side.
    small = noise(50, 33).resize((48, 32), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(crop_for_gist(noise(50, 33)), np.asarray(small)[:, 8:40])


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (31, 33), (33, 31)])
def test_small_pictures_are_enlarged(size: tuple[int, int]) -> None:
    got = crop_for_gist(noise(*size))
    assert got.shape == (32, 32, 3)
    assert got.dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 2_000_000), (2_000_000, 1), (3, 700_000)])
def test_a_line_of_pixels_is_not_resized_whole(size: tuple[int, int]) -> None:
    # Resized whole, the first would be of 32 × 64,000,000 pixels, 6 GB.
    got = crop_for_gist(Image.new("RGB", size, (1, 2, 3)))
    assert got.shape == (32, 32, 3)
    assert (got == (1, 2, 3)).all()


def test_the_middle_of_a_long_picture_is_where_it_would_be() -> None:
    image = noise(3, 3 * 65)
    whole = image.resize((32, 32 * 65), Image.Resampling.BILINEAR).crop((0, 1024, 32, 1056))
    apart = np.abs(crop_for_gist(image).astype(int) - np.asarray(whole).astype(int))
    assert apart.max() <= 1
