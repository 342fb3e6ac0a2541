"""Groups of copies as a sheet to look at: one row a group."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from sscd.data.decode import UnreadableImage, load_image
from sscd.data.records import Pictures
from sscd.files import atomic_path
from sscd.report.contact_sheet import Cell, draw_sheet, stack_sheets


def write_group_sheet(
    path: Path,
    groups: Sequence[tuple[str, Sequence[int], Sequence[float]]],
    pictures: Pictures,
    *,
    columns: int = 8,
    tile: int = 112,
) -> None:
    """Write a JPEG file with groups one below the other.

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
        sheets.append(draw_sheet(cells, columns=columns, tile=tile, title=title))
    with atomic_path(path) as temporary:
        stack_sheets(sheets).save(temporary, format="JPEG", quality=85)


def _load(pictures: Pictures, position: int, side: int) -> Image.Image:
    try:
        name = str(pictures.path(position))
        return load_image(pictures.source(position), draft=side, name=name)
    except UnreadableImage:
        return Image.new("RGB", (side, side), (225, 225, 222))
