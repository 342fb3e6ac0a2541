from typing import get_args

import numpy as np
import pytest
from PIL import Image

from sscd.augment.augly import screenshot


@pytest.mark.parametrize("template", get_args(screenshot.ScreenshotTemplate))
@pytest.mark.parametrize("size", [(213, 160), (160, 213), (640, 480), (90, 11), (8, 300), (1, 1)])
@pytest.mark.parametrize("growth", [1.5, 3.0, 10.0])
def test_the_picture_is_in_its_box(
    template: screenshot.ScreenshotTemplate, size: tuple[int, int], growth: float
) -> None:
    green = Image.new("RGB", size, (0, 255, 0))
    pixels = screenshot.screenshot_pixels(size, template=template, growth=growth)
    shown = screenshot.overlay_onto_screenshot(green, template=template, max_pixels=pixels)
    page, (left, top, right, bottom) = screenshot.screenshot_box(
        size, template=template, max_pixels=pixels
    )
    assert shown.size == page
    found = (np.asarray(shown) == (0, 255, 0)).all(axis=2)
    rows, columns = np.nonzero(found)
    assert (columns.min(), rows.min()) == (left, top)
    assert (columns.max() + 1, rows.max() + 1) == (right, bottom)
    if min(size) > 100:
        assert page[0] * page[1] <= growth * size[0] * size[1]
