import numpy as np
from PIL import Image

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.frames import IntoScreenshot, MemeFrame


def test_screenshots_show_all_of_the_picture(places: Image.Image) -> None:
    templates = set()
    for seed in range(12):
        into = IntoScreenshot(templates=("web", "mobile"), growth=3.0)
        edited, parameters = into(Canvas.of(places), np.random.default_rng(seed), None)
        box = parameters["box"]
        assert isinstance(box, list)
        left, top, right, bottom = box
        assert edited.surviving_area > 0.95
        assert (np.asarray(edited.cells) > 0).sum() == (right - left) * (bottom - top)
        assert edited.image.width * edited.image.height <= 3.0 * 160 * 120
        assert (right - left) / edited.image.width > 0.3
        templates.add(parameters["template"])
    assert templates == {"web", "mobile"}


def test_captions_are_above_the_picture(photo: Image.Image) -> None:
    frame = MemeFrame(
        height=(0.3, 0.3), dark=0.5, fonts=("Impact.ttf",), captions=("one", "two\nlines")
    )
    seen = set()
    for seed in range(20):
        edited, parameters = frame(Canvas.of(photo), np.random.default_rng(seed), None)
        assert edited.image.size == (80, 78)
        assert edited.image.crop((0, 18, 80, 78)).tobytes() == photo.tobytes()
        assert (np.asarray(edited.cells)[:18] == 0).all()
        assert edited.surviving_area == 1
        caption = np.asarray(edited.image)[:18]
        assert caption.min() < 60
        assert caption.max() > 190
        assert list(caption[0, 0]) == parameters["background"]
        seen.add((parameters["text"], str(parameters["color"])))
    assert len(seen) == 4
