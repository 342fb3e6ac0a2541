import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.compositions import Collage, OntoBackground, OntoDrawnBackground
from sscd.augment.edits.operation import SecondaryPictures

ONTO = OntoBackground(share=(0.4, 0.75), ratio=(0.75, 1.33), growth=2.2)
COLLAGE = Collage(columns=(1, 3), rows=(1, 2), share=(0.4, 0.6), gap=(0.0, 0.06), growth=2.2)


def _blue(canvas: Canvas) -> np.ndarray:
    return np.asarray(canvas.image)[:, :, 2] > 128


def test_what_is_not_the_source_is_the_other_picture(
    places: Image.Image, secondary: SecondaryPictures
) -> None:
    for seed in range(30):
        edited, parameters = ONTO(Canvas.of(places), np.random.default_rng(seed), secondary)
        assert ((np.asarray(edited.cells) == 0) == _blue(edited)).all()
        assert edited.surviving_area == 1
        size, x, y = parameters["size"], parameters["x"], parameters["y"]
        assert isinstance(size, list)
        assert isinstance(x, int)
        assert isinstance(y, int)
        assert edited.image.width * edited.image.height <= 2.25 * 160 * 120
        assert 0.3 < size[0] / edited.image.width < 0.95
        assert not _blue(edited)[y : y + size[1], x : x + size[0]].any()
        assert str(parameters["secondary"]).startswith("blue")


def test_collages_show_the_source_in_one_cell(
    places: Image.Image, secondary: SecondaryPictures
) -> None:
    counts, corners = set(), set()
    for seed in range(60):
        edited, parameters = COLLAGE(Canvas.of(places), np.random.default_rng(seed), secondary)
        box, others = parameters["box"], parameters["others"]
        assert isinstance(box, list)
        assert isinstance(others, list)
        left, top, right, bottom = box
        cells = np.asarray(edited.cells)
        assert (cells[top:bottom, left:right] > 0).all()
        assert (cells > 0).sum() == (right - left) * (bottom - top)
        for other in others:
            a, b, c, d = other["box"]
            assert _blue(edited)[b:d, a:c].all()
            assert (cells[b:d, a:c] == 0).all()
        assert edited.surviving_area == 1
        assert (right - left) * (bottom - top) > 0.12 * cells.size
        counts.add(len(others) + 1)
        corners.add((left < 30, top < 30))
    assert counts == {2, 3, 4, 6}
    assert len(corners) == 4


def test_drawn_backgrounds_surround_the_picture(photo: Image.Image) -> None:
    onto = OntoDrawnBackground(share=(0.5, 0.8), ratio=(0.8, 1.25))
    for seed in range(30):
        edited, parameters = onto(Canvas.of(photo), np.random.default_rng(seed), None)
        x, y = parameters["x"], parameters["y"]
        assert isinstance(x, int)
        assert isinstance(y, int)
        assert edited.image.crop((x, y, x + 80, y + 60)).tobytes() == photo.tobytes()
        assert edited.image.size == (parameters["width"], parameters["height"])
        assert (np.asarray(edited.cells) > 0).sum() == 80 * 60


def test_without_secondary_pictures_they_refuse(photo: Image.Image) -> None:
    for operation in (ONTO, COLLAGE):
        assert operation.needs_secondary
        with pytest.raises(ValueError, match="secondary got None"):
            operation(Canvas.of(photo), np.random.default_rng(0), None)
