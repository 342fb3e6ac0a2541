import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.pen import draw_ink, ellipse_path, ink_mask, lay_ink, smooth_path


def test_a_smooth_path_goes_through_its_points() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (7, 2))
    path = smooth_path(points, steps=5)
    assert path.shape == (31, 2)
    np.testing.assert_allclose(path[::5], points)


def test_a_smooth_path_through_points_on_a_line_stays_on_it() -> None:
    points = np.arange(5)[:, None] * np.array([[3.0, -2.0]])
    path = smooth_path(points, steps=4)
    np.testing.assert_allclose(path, np.linspace((0, 0), (12, -8), 17), atol=1e-12)


@pytest.mark.parametrize("size", [(40, 20), (800, 400)])  # four and two finer pixels a pixel
def test_a_pen_covers_as_many_rows_as_it_is_wide(size: tuple[int, int]) -> None:
    line = np.array([[-50.0, 10.0], [size[0] + 50.0, 10.0]])
    ink = np.asarray(ink_mask(size, [line], width=4.0)).astype(float) / 255
    assert ink[:, 5].sum() == pytest.approx(4.0, abs=0.55)
    middle = (ink[:, 5] * (np.arange(size[1]) + 0.5)).sum() / ink[:, 5].sum()
    assert middle == pytest.approx(10.0, abs=0.3)
    assert not ink[[0, 4, 16, 19]].any()


def test_a_pen_thinner_than_can_be_drawn_is_paler() -> None:
    line = np.array([[0.0, 10.0], [40.0, 10.0]])
    hair, thin = (np.asarray(ink_mask((40, 20), [line], width=w)).sum() for w in (0.05, 0.25))
    assert hair == pytest.approx(0.2 * thin, rel=0.05)


def test_an_ellipse_without_wobble_is_one() -> None:
    rng = np.random.default_rng(1)
    path = ellipse_path(rng, center=(50.0, 30.0), radii=(20.0, 10.0), turns=2.0, wobble=0.0)
    radius = np.hypot((path[:, 0] - 50) / 20, (path[:, 1] - 30) / 10)
    np.testing.assert_allclose(radius, 1.0, atol=0.05)
    angle = np.unwrap(np.arctan2((path[:, 1] - 30) / 10, (path[:, 0] - 50) / 20))
    assert angle[-1] - angle[0] == pytest.approx(4 * np.pi, rel=1e-6)


def test_ink_hides_the_source_from_one_half_on() -> None:
    canvas = Canvas.of(Image.new("RGB", (3, 1), (100, 100, 100)))
    mask = Image.fromarray(np.array([[0, 255, 100]], np.uint8))
    inked = lay_ink(canvas, mask, color=(200, 0, 0), opacity=0.6)
    assert np.asarray(inked.image)[0].tolist()[:2] == [[100, 100, 100], [160, 40, 40]]
    assert np.asarray(inked.cells).tolist() == [[1, 0, 3]]
    faint = lay_ink(canvas, mask, color=(200, 0, 0), opacity=0.4)
    assert np.asarray(faint.cells).tolist() == [[1, 2, 3]]
    assert np.asarray(canvas.image).tolist() == [[[100, 100, 100]] * 3]


def test_inks_are_ordinary_pens_half_of_the_time() -> None:
    rng = np.random.default_rng(2)
    colors = [draw_ink(rng) for _ in range(2000)]
    repeated = sum(colors.count(color) > 20 for color in set(colors))
    ordinary = sum(colors.count(color) > 20 for color in colors)
    assert repeated == 6
    assert 900 < ordinary < 1100
