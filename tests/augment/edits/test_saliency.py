import numpy as np
import pytest
from PIL import Image, ImageDraw

from sscd.augment.edits.saliency import find_salient_part, saliency_map
from sscd.augment.opencv import opencv


def with_disc(x: int, y: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A speckled disc, a sixth of the height in radius, on a smooth ground."""
    image = Image.new("RGB", size, (90, 110, 120))
    radius = size[1] // 6
    speckles = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    image.paste(Image.fromarray(speckles), mask=mask)
    return image


@pytest.mark.parametrize(("x", "y"), [(80, 60), (45, 40), (110, 80)])
def test_the_part_holds_what_catches_the_eye(x: int, y: int) -> None:
    part = find_salient_part(with_disc(x, y), share=0.09)
    left, top, right, bottom = part.box
    assert abs((left + right) / 2 - x) < 10
    assert abs((top + bottom) / 2 - y) < 10
    assert np.asarray(part.mask)[y, x] == 255


@pytest.mark.parametrize("share", [0.1, 0.3, 0.55])
def test_the_part_has_its_share_of_the_area(share: float) -> None:
    for image in (with_disc(80, 60), with_disc(110, 80)):
        area = (np.asarray(find_salient_part(image, share=share).mask) >= 128).mean()
        assert 0.8 * share < area < 2.0 * share
    area = (
        np.asarray(find_salient_part(Image.new("RGB", (160, 120)), share=share).mask) >= 128
    ).mean()
    assert area == pytest.approx(share, rel=0.08)


def test_the_box_is_that_of_the_mask() -> None:
    part = find_salient_part(with_disc(60, 60), share=0.2)
    rows, columns = np.nonzero(np.asarray(part.mask) >= 128)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert part.box == box


def test_of_a_picture_that_shows_nothing_the_centre_is_salient() -> None:
    part = find_salient_part(Image.new("RGB", (200, 100), (7, 8, 9)), share=0.2)
    left, top, right, bottom = part.box
    assert (left + right) / 2 == pytest.approx(100, abs=4)
    assert (top + bottom) / 2 == pytest.approx(50, abs=4)
    assert np.asarray(part.mask)[50, 100] == 255
    assert np.asarray(part.mask)[0, 0] == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 200), (200, 3), (7, 5)])
def test_tiny_pictures_have_a_salient_part(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    for share in (0.05, 0.5):
        part = find_salient_part(Image.fromarray(pixels), share=share)
        left, top, right, bottom = part.box
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        assert part.mask.size == size


def test_the_map_does_not_depend_on_threads() -> None:
    cv2, image = opencv(), with_disc(60, 70, (640, 480))
    try:
        maps = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            maps.append(saliency_map(image))
    finally:
        cv2.setNumThreads(1)
    np.testing.assert_array_equal(maps[0], maps[1])
    assert maps[0].shape == (64, 64)
    assert maps[0].max() == 1.0
    assert maps[0].min() >= 0.0


def test_the_part_is_the_same_at_any_resolution() -> None:
    small, large = with_disc(100, 70), with_disc(100, 70).resize((640, 480))
    boxes = [find_salient_part(image, share=0.2).box for image in (small, large)]
    np.testing.assert_allclose(np.array(boxes[0]) * 4, boxes[1], atol=24)
