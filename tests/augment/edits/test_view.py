from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.view import Camera, draw_surface, look_at

STRAIGHT = Camera(
    tilt=(0.0, 0.0), roll=0.0, distance=2.0, resolution=1.0, fill=(1.0, 1.0), offset=(0.0, 0.0)
)


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def corners(size: tuple[int, int], camera: Camera) -> tuple[np.ndarray, tuple[int, int]]:
    """Where a picture's corners lie in its photograph, (4, 2), and the photograph's size."""
    view = look_at(size, camera)
    width, height = size
    plane = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)])
    seen = plane @ np.linalg.inv(view.inverse).T
    return seen[:, :2] / seen[:, 2:], view.size


def test_a_picture_seen_head_on_is_itself() -> None:
    image = noise(30, 20)
    view = look_at(image.size, STRAIGHT)
    assert view.size == image.size
    assert view.warp(image, (0, 0, 0), border=0).tobytes() == image.tobytes()


def test_a_border_lies_outside_the_picture() -> None:
    image = noise(30, 20)
    framed = Image.new("RGB", (36, 26))
    framed.paste(image, (3, 3))
    view = look_at(image.size, STRAIGHT)
    assert view.warp(framed, (0, 0, 0), border=3).tobytes() == image.tobytes()


def test_fill_and_offset_place_the_picture() -> None:
    camera = replace(STRAIGHT, fill=(0.5, 0.8), offset=(1.0, 0.25))
    at, size = corners((40, 20), camera)
    assert size == (80, 25)
    np.testing.assert_allclose(at[0], (40, 1.25), atol=1e-9)
    np.testing.assert_allclose(at[2], (80, 21.25), atol=1e-9)


def test_the_camera_rolls_about_its_axis() -> None:
    at, size = corners((40, 20), replace(STRAIGHT, roll=90.0))
    assert size == (20, 40)
    np.testing.assert_allclose(at, [(0, 40), (0, 0), (20, 0), (20, 40)], atol=1e-9)


def test_what_is_farther_is_smaller() -> None:
    # About the vertical axis: at a distance of 2·100, an edge 50 away from the axis moves by
    # 50·sin 30° = 25 nearer or farther, so that it is 200/175 or 200/225 as tall.
    at, _ = corners((100, 60), replace(STRAIGHT, tilt=(30.0, 0.0)))
    left, right = at[3, 1] - at[0, 1], at[2, 1] - at[1, 1]
    assert sorted([left, right]) == pytest.approx([60 * 200 / 225, 60 * 200 / 175])


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (213, 160)])
def test_all_of_the_picture_is_seen(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        tilt, fill, offset = rng.uniform(-20, 20, 2), rng.uniform(0.7, 1.0, 2), rng.random(2)
        camera = Camera(
            tilt=(tilt[0], tilt[1]),
            roll=rng.uniform(-10, 10),
            distance=rng.uniform(1.3, 2.5),
            resolution=rng.uniform(0.7, 1.0),
            fill=(fill[0], fill[1]),
            offset=(offset[0], offset[1]),
        )
        at, (width, height) = corners(size, camera)
        assert at.min() > -1.0  # sizes are whole pixels
        assert at[:, 0].max() < width + 1.0
        assert at[:, 1].max() < height + 1.0


def test_the_plane_is_where_the_inverse_says() -> None:
    camera = replace(STRAIGHT, tilt=(20.0, -10.0), roll=5.0, fill=(0.8, 0.7), offset=(0.3, 0.6))
    view = look_at((60, 40), camera)
    u, v = view.plane()
    assert u.shape == v.shape == (view.size[1], view.size[0])
    for x, y in ((0, 0), (10, 25), (view.size[0] - 1, view.size[1] - 1)):
        expected = view.inverse @ (x + 0.5, y + 0.5, 1)
        assert u[y, x] == pytest.approx(expected[0] / expected[2], abs=1e-3)
        assert v[y, x] == pytest.approx(expected[1] / expected[2], abs=1e-3)


def test_surfaces_vary_and_darken() -> None:
    bright, dim = (
        np.asarray(draw_surface(np.random.default_rng(4), (90, 60), light=light)).astype(float)
        for light in (1.0, 0.5)
    )
    assert bright.shape == (60, 90, 3)
    assert dim.mean() == pytest.approx(bright.mean() / 2, rel=0.03)
    surfaces = {
        draw_surface(np.random.default_rng(s), (8, 8), light=1.0).tobytes() for s in range(9)
    }
    assert len(surfaces) == 9
