"""Groups of copies as a sheet to look at, side by side where they fit."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import Pictures
from sscd.files import atomic_path
from sscd.report.contact_sheet import BACKGROUND, Cell, draw_sheet, stack_sheets


def write_group_sheet(
    path: Path,
    groups: Sequence[tuple[str, Sequence[int], Sequence[float]]],
    pictures: Pictures,
    *,
    columns: int = 8,
    tile: int = 112,
) -> None:
    """Write a JPEG file with groups in rows.

    Args:
        path: The file.
        groups: Title, positions in `pictures`, and the score of each with its best match; at most
            `columns` of a group are drawn.
        pictures: What they are of.
        columns: Pictures in a row.
        tile: Side of a picture in pixels.

    Raises:
        UserError: The file cannot be written.
    """
    sheets = []
    for title, positions, scores in groups:
        cells: list[Cell] = [
            (_load(pictures, position, tile), f"{score:.3f} {pictures.id(position)}")
            for position, score in list(zip(positions, scores, strict=True))[:columns]
        ]
        sheets.append(draw_sheet(cells, columns=len(cells), tile=tile, title=title))
    width = draw_sheet([], columns=columns, tile=tile).width
    with atomic_path(path) as temporary:
        stack_sheets(_in_rows(sheets, width)).save(temporary, format="JPEG", quality=85)


def _in_rows(sheets: Sequence[Image.Image], width: int) -> list[Image.Image]:
    """Sheets side by side, as many as a width holds."""
    rows: list[list[Image.Image]] = [[]]
    for sheet in sheets:
        if rows[-1] and sum(one.width for one in rows[-1]) + sheet.width > width:
            rows.append([])
        rows[-1].append(sheet)
    joined = []
    for row in rows:
        line = Image.new("RGB", (width, max(sheet.height for sheet in row)), BACKGROUND)
        left = 0
        for sheet in row:
            line.paste(sheet, (left, 0))
            left += sheet.width
        joined.append(line)
    return joined


def _load(pictures: Pictures, position: int, side: int) -> Image.Image:
    try:
        name = str(pictures.path(position))
        return load_image(pictures.source(position), draft=side, name=name)
    except UnreadableImage:
        return Image.new("RGB", (side, side), (225, 225, 222))
