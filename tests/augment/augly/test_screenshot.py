from typing import get_args

import numpy as np
import pytest
from PIL import Image

from sscd.augment.augly import screenshot
from sscd.augment.augly.assets import asset_folder
from sscd.augment.augly.library import augly_image


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


@pytest.mark.parametrize("template", get_args(screenshot.ScreenshotTemplate))
@pytest.mark.parametrize("size", [(213, 160), (160, 213), (90, 11), (8, 300), (1, 1)])
@pytest.mark.parametrize("growth", [1.5, 10.0])
def test_the_pixels_are_those_of_augly(
    template: screenshot.ScreenshotTemplate, size: tuple[int, int], growth: float
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image, folder = Image.fromarray(noise), asset_folder("screenshot_templates")
    pixels = screenshot.screenshot_pixels(size, template=template, growth=growth)
    expected = augly_image().overlay_onto_screenshot(
        image,
        template_filepath=str(folder / f"{template}.png"),
        template_bboxes_filepath=str(folder / "bboxes.json"),
        max_image_size_pixels=pixels,
        resize_src_to_match_template=False,
    )
    for _ in range(2):  # the page is kept, and stays as it is
        shown = screenshot.overlay_onto_screenshot(image, template=template, max_pixels=pixels)
        assert shown.tobytes() == expected.tobytes()
