"""A sheet of training views, with what was drawn for each under it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from sscd.augment.edited_views import EditedPlan
from sscd.augment.geometry import Geometry
from sscd.augment.operations import Box
from sscd.augment.photometric import BRIGHTNESS, CONTRAST, HUE, Photometric
from sscd.augment.recipes import Plan
from sscd.report.contact_sheet import Cell, draw_sheet


@dataclass(frozen=True, eq=False)
class PlannedViews:
    """A picture and its views.

    Attributes:
        name: The picture's id.
        picture: The whole picture, RGB.
        views: Its views, RGB.
        plans: What was drawn for each view.
    """

    name: str
    picture: Image.Image
    views: Sequence[Image.Image]
    plans: Sequence[Plan]


def draw_view_sheet(rows: Sequence[PlannedViews], *, tile: int, title: str) -> Image.Image:
    """Draw one picture a row, its views enlarged beside it, with the parameters of each."""
    cells: list[Cell] = []
    for row in rows:
        width, height = row.picture.size
        cells.append((row.picture, f"{row.name}\n{width}x{height}"))
        for view, plan in zip(row.views, row.plans, strict=True):
            shown = view.resize((tile, tile), Image.Resampling.BICUBIC)
            cells.append((shown, describe_plan(plan)))
    return draw_sheet(cells, columns=1 + len(rows[0].views), tile=tile, title=title)


def describe_plan(plan: Plan) -> str:
    """What is done for a view, in order, one operation a line.

    >>> from sscd.augment.recipes import ViewPlan
    >>> plan = ViewPlan(
    ...     Geometry(picture=(90, 60), box=(5, 6, 50, 55), flip=True), Photometric(blur=1.5)
    ... )
    >>> print(describe_plan(plan))
    mirrored
    crop 5,6 to 50,55 (41% of 90x60)
    blur 1.50 px
    """
    if isinstance(plan, EditedPlan):
        return "\n".join(_edits(plan))
    return "\n".join([*_geometry(plan.geometry), *_photometric(plan.photometric)])


def _edits(plan: EditedPlan) -> Iterator[str]:
    if plan.crop == "first":
        yield _crop(plan.box, plan.picture)
    yield from plan.operations
    if plan.crop == "last":
        yield "crop"


def _geometry(geometry: Geometry) -> Iterator[str]:
    if geometry.flip:
        yield "mirrored"
    if geometry.right_angle:
        yield f"turned by {geometry.right_angle}°"
    if (text := geometry.text) is not None:
        color = "#{:02x}{:02x}{:02x}".format(*text.color)
        yield (
            f"text of {len(text.characters)}, size {text.size:.2f}, opacity {text.opacity:.2f}, "
            f"{color}, at {text.x:.2f},{text.y:.2f}, {text.font}"
        )
    if (emoji := geometry.emoji) is not None:
        yield (
            f"emoji {emoji.emoji}, size {emoji.size:.2f}, opacity {emoji.opacity:.2f}, "
            f"at {emoji.x:.2f},{emoji.y:.2f}"
        )
    if geometry.rotation is not None:
        yield f"rotated by {geometry.rotation:.1f}°"
    yield _crop(geometry.box, geometry.picture)


def _crop(box: Box, picture: tuple[int, int]) -> str:
    left, top, right, bottom = box
    width, height = picture
    share = (right - left) * (bottom - top) / (width * height)
    return f"crop {left},{top} to {right},{bottom} ({share:.0%} of {width}x{height})"


def _photometric(pixels: Photometric) -> Iterator[str]:
    for step in pixels.jitter_order:
        if step == BRIGHTNESS:
            yield f"brightness x{pixels.brightness:.2f}"
        elif step == CONTRAST:
            yield f"contrast x{pixels.contrast:.2f}"
        elif step == HUE:
            yield f"hue {pixels.hue:+.3f} of a turn"
        else:
            yield f"saturation x{pixels.saturation:.2f}"
    if pixels.greyscale:
        yield "greyscale"
    if pixels.blur:
        yield f"blur {pixels.blur:.2f} px"
    if pixels.jpeg is not None:
        yield f"JPEG quality {pixels.jpeg}"
