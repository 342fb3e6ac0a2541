import numpy as np
import pytest
from PIL import Image

from sscd.augment import operations
from sscd.augment.edits.canvas import GRID, Canvas


def test_a_new_canvas_numbers_its_cells_row_by_row(photo: Image.Image) -> None:
    canvas = Canvas.of(photo)
    cells = np.asarray(canvas.cells)
    assert canvas.shares.tolist() == [1.0] * GRID * GRID
    assert set(cells.ravel().tolist()) == set(range(1, GRID * GRID + 1))
    assert (cells[0, 0], cells[0, -1], cells[-1, 0]) == (1, GRID, GRID * (GRID - 1) + 1)
    assert canvas.surviving_area == 1.0


def test_small_pictures_have_a_cell_a_pixel() -> None:
    canvas = Canvas.of(Image.new("RGB", (3, 2)))
    assert np.asarray(canvas.cells).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (len(canvas.shares), canvas.visible_contrast) == (6, 0.0)


def test_half_the_picture_is_half_the_area(photo: Image.Image) -> None:
    canvas = Canvas.of(photo).moved(lambda picture, _: picture.crop((0, 0, 40, 60)))
    assert canvas.surviving_area == 0.5
    again = canvas.pasted_onto(Image.new("RGB", (30, 60)), x=-20, y=0)
    assert again.surviving_area == 0.25
    assert again.image.size == (30, 60)


def test_what_is_covered_does_not_survive(photo: Image.Image) -> None:
    mask = Image.new("L", photo.size)
    mask.paste(127, (0, 0, 40, 60))
    canvas = Canvas.of(photo)
    assert canvas.covered(photo, mask).surviving_area == 1.0
    mask.paste(128, (0, 0, 40, 60))
    assert canvas.covered(photo, mask).surviving_area == 0.5
    assert canvas.surviving_area == 1.0


def test_stripes_count_by_what_they_leave(photo: Image.Image) -> None:
    """Each cell is touched, so that counting cells with a pixel would find all of them."""
    large = photo.resize((320, 320))
    mask = np.zeros((320, 320), np.uint8)
    mask[np.arange(320) % 10 < 7] = 255
    canvas = Canvas.of(large).covered(large, Image.fromarray(mask))
    assert canvas.surviving_area == pytest.approx(0.3)
    again = canvas.covered(large, Image.fromarray(mask))
    assert again.surviving_area == pytest.approx(0.3)
    across = canvas.covered(large, Image.fromarray(np.ascontiguousarray(mask.T)))
    assert across.surviving_area == pytest.approx(0.09)
    smaller = canvas.moved(lambda picture, _: operations.resize(picture, width=160, height=160))
    assert smaller.surviving_area == pytest.approx(0.3)


def test_scattered_pixels_do_not_survive(photo: Image.Image) -> None:
    assert Canvas.of(photo).scattered(photo, 0.25).surviving_area == pytest.approx(0.75)


def test_a_framed_source_takes_its_share_of_the_picture(photo: Image.Image) -> None:
    framed = Canvas.of(photo).pasted_onto(Image.new("RGB", (160, 120)), x=10, y=10)
    assert (framed.surviving_area, framed.share_of_picture) == (1.0, 0.25)


def test_contrast_is_that_of_the_source_alone() -> None:
    grey = Canvas.of(Image.new("RGB", (20, 20), (90, 90, 90)))
    padded = grey.moved(
        lambda picture, fill: operations.pad(picture, border=(9, 9, 9, 9), color=fill),
        fill=(255, 255, 255),
    )
    assert padded.visible_contrast == 0.0
    halves = Image.new("RGB", (20, 20))
    halves.paste((200, 200, 200), (0, 0, 10, 20))
    assert Canvas.of(halves).visible_contrast == pytest.approx(100)
    hidden = Canvas.of(halves).covered(halves, Image.new("L", (20, 20), 255))
    assert (hidden.visible_contrast, hidden.surviving_area) == (0.0, 0.0)


def test_misuse_is_refused(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="expected RGB"):
        Canvas.of(photo.convert("L"))
    with pytest.raises(ValueError, match=r"expected \(80, 60\)"):
        Canvas.of(photo).recolored(photo.crop((0, 0, 9, 9)))
