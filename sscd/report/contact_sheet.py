"""Pictures with captions on one sheet: sources beside their copies."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sscd.data.decode import UnreadableImage, load_image
from sscd.files import atomic_path

Cell = tuple[Image.Image, str]
"""A picture and what stands under it."""

T = TypeVar("T")

BACKGROUND = (250, 250, 248)
"""Of every sheet."""

_EMPTY = (225, 225, 222)
_INK = (40, 40, 40)
_MARGIN = 8
_LINE = 14
_HEADING = 28


def draw_sheet(
    cells: Sequence[Cell], *, columns: int, tile: int = 160, title: str = ""
) -> Image.Image:
    """Draw pictures in rows, each with its caption under it.

    Args:
        cells: Pictures of any size and mode, shrunk to their tile, and captions; a caption is
            wrapped to the tile's width and may hold line breaks.
        columns: Tiles in a row.
        tile: Side of a tile in pixels.
        title: What stands above them.

    Returns:
        An RGB sheet, as high as its captions need.

    Raises:
        ValueError: `columns` or `tile` is less than 1.
    """
    if min(columns, tile) < 1:
        raise ValueError(f"columns and tile got {columns} and {tile}; expected at least 1")
    font = ImageFont.load_default(11)
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    captions = [[_wrap(caption, font, tile) for _, caption in row] for row in rows]
    heights = [tile + _LINE * max(map(len, lines)) + _MARGIN for lines in captions]
    top = _MARGIN + (_HEADING if title else 0)
    size = (columns * (tile + _MARGIN) + _MARGIN, top + sum(heights))
    sheet = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=ImageFont.load_default(16))
    for row, lines, height in zip(rows, captions, heights, strict=True):
        for column, ((image, _), caption) in enumerate(zip(row, lines, strict=True)):
            x = _MARGIN + column * (tile + _MARGIN)
            sheet.paste(_tile(image, tile), (x, top))
            for number, line in enumerate(caption):
                draw.text((x, top + tile + 2 + number * _LINE), line, fill=_INK, font=font)
        top += height
    return sheet


def stack_sheets(sheets: Sequence[Image.Image]) -> Image.Image:
    """Sheets above one another, as wide as the widest."""
    size = (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets))
    stacked = Image.new("RGB", size, BACKGROUND)
    top = 0
    for sheet in sheets:
        stacked.paste(sheet, (0, top))
        top += sheet.height
    return stacked


def write_contact_sheet(
    path: Path,
    groups: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    out: Path,
    pairs: int = 24,
    columns: int = 4,
    tile: int = 144,
) -> None:
    """Write references beside their copies, with the names of the operations.

    Args:
        path: The JPEG file to write.
        groups: Heading → records of copies (`query_id`, `reference_id`, `table`, `edits`,
            `surviving_area`), of which `pairs` are shown, spread evenly. The queries lie in the
            directory `<split>_queries`, by the record's `split`.
        out: The benchmark's directory.
        pairs: Pairs of each group, at most.
        columns: Pairs in a row.
        tile: Side of a picture, in pixels.

    Raises:
        UserError: The file cannot be written.
    """
    sheets = []
    for title, records in groups.items():
        cells: list[Cell] = []
        for record in spread(records, pairs):
            reference = out / "references" / f"{record['reference_id']}.jpg"
            copy = out / f"{record['split']}_queries" / f"{record['query_id']}.jpg"
            cells.append((_load(reference, tile), str(record["reference_id"])))
            cells.append((_load(copy, tile), _caption(record)))
        sheets.append(draw_sheet(cells, columns=2 * columns, tile=tile, title=title))
    with atomic_path(path) as temporary:
        stack_sheets(sheets).save(temporary, format="JPEG", quality=88)


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` items, evenly spread from the first to the last."""
    if len(items) <= count:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int).tolist()]


def _caption(record: Mapping[str, Any]) -> str:
    names = ", ".join(edit["name"] for edit in record["edits"]) or "nothing"
    seen = f"{record['surviving_area']:.0%} seen"
    return f"{record['query_id']}, {record['table']}, {seen}\n{names}"


def _load(path: Path, side: int) -> Image.Image:
    try:
        return load_image(path, draft=side)
    except UnreadableImage:
        return Image.new("RGB", (side, side), _EMPTY)


def _tile(image: Image.Image, side: int) -> Image.Image:
    picture = image.convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (side, side), _EMPTY)
    tile.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return tile


def _wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append(line)
                longer = word
            while len(longer) > 1 and font.getlength(longer) > width:
                fitting = _fitting(longer, font, width)
                lines.append(longer[:fitting])
                longer = longer[fitting:]
            line = longer
        lines.append(line)
    return lines


def _fitting(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> int:
    """How many of a word's characters go into a width; one at least."""
    lengths = (n for n in range(len(word), 1, -1) if font.getlength(word[:n]) <= width)
    return next(lengths, 1)
