"""AugLy's screenshots of a social network: a picture within one, and where it is."""

import functools
import json
from typing import Literal

from PIL import Image

from sscd.augment.augly.assets import asset_folder
from sscd.augment.operations import Box

ScreenshotTemplate = Literal["web", "mobile"]


def overlay_onto_screenshot(
    image: Image.Image, *, template: ScreenshotTemplate, max_pixels: int
) -> Image.Image:
    """Show a picture in a social network's page, which is scaled to the picture.

    AugLy decodes the page for each picture; here it is kept.

    Args:
        image: RGB picture.
        template: AugLy's page of a browser or of a mobile phone.
        max_pixels: Largest area of the result; where the page would be larger, the picture is made
            smaller with it.

    Returns:
        RGB; the picture is in the box that `screenshot_box` tells.
    """
    page, room, box = _layout(image.size, template=template, max_pixels=max_pixels)
    shown = _page(template, page).copy()
    shown.paste((0, 0, 0), room)
    size = box[2] - box[0], box[3] - box[1]
    shown.paste(image.resize(size, Image.Resampling.BILINEAR), box[:2])
    return shown


def screenshot_pixels(size: tuple[int, int], *, template: ScreenshotTemplate, growth: float) -> int:
    """The area to allow for a picture's screenshot.

    Args:
        size: Width and height of the picture.
        template: The page.
        growth: Area of the result over the picture's.

    Returns:
        Pixels: `growth` times the picture's, but so many that its short side keeps one at least.
    """
    (page_width, page_height), (left, top, right, bottom) = _template(template)
    width, height = size
    whole = max(width / (right - left), height / (bottom - top))
    least = whole * min(1.0, 2 / min(size))
    return max(int(growth * width * height), int(least**2 * page_width * page_height) + 1)


def screenshot_box(
    size: tuple[int, int], *, template: ScreenshotTemplate, max_pixels: int
) -> tuple[tuple[int, int], Box]:
    """Where AugLy puts a picture.

    Args:
        size: Width and height of the picture.
        template: The page.
        max_pixels: As in `overlay_onto_screenshot`.

    Returns:
        Width and height of the screenshot, and the picture's (left, top, right, bottom) in it.
    """
    page, _, box = _layout(size, template=template, max_pixels=max_pixels)
    return page, box


def _layout(
    size: tuple[int, int], *, template: ScreenshotTemplate, max_pixels: int
) -> tuple[tuple[int, int], Box, Box]:
    """The page's size, the room for a picture in it, and the picture's own box in its middle."""
    (page_width, page_height), (left, top, right, bottom) = _template(template)
    room_width, room_height = right - left, bottom - top
    scale = max(size[0] / room_width, size[1] / room_height)
    if page_width * page_height * scale**2 > max_pixels:
        scale = (max_pixels / (page_width * page_height)) ** 0.5
    room_width, room_height = int(room_width * scale), int(room_height * scale)
    left, top = int(left * scale), int(top * scale)
    room = left, top, left + room_width, top + room_height
    width, height = size
    if width > room_width or height > room_height:
        shrink = min(room_width / width, room_height / height)
        width, height = int(width * shrink), int(height * shrink)
    left, top = left + (room_width - width) // 2, top + (room_height - height) // 2
    page = int(page_width * scale), int(page_height * scale)
    return page, room, (left, top, left + width, top + height)


@functools.lru_cache(maxsize=16)
def _page(template: ScreenshotTemplate, size: tuple[int, int]) -> Image.Image:
    """A page without a picture, at this size; not to be changed."""
    return _full_page(template).resize(size, Image.Resampling.BILINEAR)


@functools.cache
def _full_page(template: ScreenshotTemplate) -> Image.Image:
    with Image.open(asset_folder("screenshot_templates") / f"{template}.png") as page:
        return page.convert("RGB")


@functools.cache
def _template(name: ScreenshotTemplate) -> tuple[tuple[int, int], Box]:
    folder = asset_folder("screenshot_templates")
    with Image.open(folder / f"{name}.png") as page:
        size = page.size
    left, top, right, bottom = json.loads((folder / "bboxes.json").read_text())[f"{name}.png"]
    return size, (left, top, right, bottom)
