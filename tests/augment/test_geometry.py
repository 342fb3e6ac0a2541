"""From a picture to a view's pixels: inside the crop, and at reduced scale."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from sscd.augment.geometry import Geometry
from sscd.augment.recipes import Recipe, RecipeConfig, ViewPlan
from sscd.data.decode import open_image


def _gradient(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards, so that a colour says where it comes from."""
    red = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    green = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    return Image.fromarray(np.stack([red, green, 0 * red], axis=-1).round().astype(np.uint8))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_the_crop_is_taken_from_the_turned_picture(flip: bool, angle: int) -> None:
    picture = _gradient(60, 40)
    turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture
    turned = turned.rotate(angle, expand=True)
    box = (5, 8, 25, 38)
    geometry = Geometry(picture=picture.size, box=box, flip=flip, right_angle=angle)
    expected = turned.crop(box).resize((16, 16), Image.Resampling.BILINEAR)
    assert geometry.apply(picture, size=16).tobytes() == expected.tobytes()


def _geometry(recipe: Recipe, size: tuple[int, int], rng: np.random.Generator) -> Geometry:
    plan = recipe.plan(size, rng)
    assert isinstance(plan, ViewPlan)
    return plan.geometry


def test_a_reduced_picture_gives_nearly_the_same_view() -> None:
    picture = _gradient(400, 300)
    recipe = Recipe(RecipeConfig("advanced", crop_scale=(0.3, 1.0)), size=32)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        geometry = _geometry(recipe, picture.size, rng)
        full = np.asarray(geometry.apply(picture, size=32)).astype(int)
        half = np.asarray(geometry.apply(picture.reduce(2), size=32)).astype(int)
        where = np.s_[4:-4, 4:-4]
        blank = geometry.text is None and geometry.emoji is None
        limit = 6.0 if blank else 12.0  # letters and emoji land on other pixels
        assert np.abs(full[where] - half[where]).mean() < limit, geometry


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (90, 2), (13, 7)])
def test_small_and_thin_pictures_and_their_reductions(size: tuple[int, int]) -> None:
    recipe = Recipe(RecipeConfig("advanced"), size=8)
    picture = _gradient(*size)
    smaller = picture.resize((max(1, size[0] // 8), max(1, size[1] // 8)))
    for seed in range(100):
        geometry = _geometry(recipe, size, np.random.default_rng(seed))
        for given in (picture, smaller):
            assert geometry.apply(given, size=8).size == (8, 8)


def test_the_reduction_keeps_the_crop_at_the_view_size() -> None:
    assert Geometry(picture=(900, 600), box=(100, 100, 740, 420)).reduction(160) == 2.0
    assert Geometry(picture=(90, 60), box=(0, 0, 40, 60)).reduction(80) == 0.5


def test_a_reduced_jpeg_is_cropped_at_its_true_scale() -> None:
    """1001 pixels decode to 126 at 1/8, of which the last shows one column."""
    picture = _gradient(1001, 601)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=100, subsampling=0)
    with open_image(buffer.getvalue()) as encoded:
        reduced = encoded.load(reduce=8)
    assert reduced.size == (126, 76)
    for angle, flip in itertools.product((0, 90, 180, 270), (False, True)):
        box = (450, 60, 950, 560) if angle % 180 == 0 else (60, 450, 560, 950)
        geometry = Geometry(picture=picture.size, box=box, right_angle=angle, flip=flip)
        full = np.asarray(geometry.apply(picture, size=50)).astype(float)
        small = np.asarray(geometry.apply(reduced, size=50)).astype(float)
        assert np.abs((small - full)[2:-2, 2:-2, :2].mean(axis=(0, 1))).max() < 0.5
