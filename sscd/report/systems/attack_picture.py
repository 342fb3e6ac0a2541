"""Table 3 as a picture: a field for each attack and system, darker where less is found."""

from collections.abc import Mapping
from pathlib import Path

from sscd.files import atomic_path
from sscd.report.systems.ink import FAINT, INK, Canvas, Colour, width_of, wrapped
from sscd.report.systems.rows import AttackRow, AttackTable

_MARGIN, _CELL, _ROW, _GAP, _LINE = 24, 92, 34, 4, 14
_WHOLE, _LOST = (222, 234, 243), (232, 150, 116)


def write_attacks_picture(path: Path, table: AttackTable) -> None:
    """Draw the table to a PNG file.

    Args:
        path: The file.
        table: One row at least.

    Raises:
        UserError: The file cannot be written.
    """
    with atomic_path(path) as temporary:
        draw_attacks(table).image.save(temporary, format="PNG", optimize=True)


def draw_attacks(table: AttackTable) -> Canvas:
    """Draw the table; see `write_attacks_picture`."""
    systems = list(table.rows[0].micro_ap)
    names = max(180.0, *(width_of(row.label) for row in table.rows)) + 16
    width = max(_MARGIN * 2 + names + _CELL * len(systems), 520)
    heads = [wrapped(name, _CELL - 10, size=11) for name in systems]
    notes = wrapped(
        f"{table.line}; boxed: the network that was attacked", width - 2 * _MARGIN, size=11
    )
    top = _MARGIN + 30 + _LINE * len(notes) + 12 + _LINE * max(map(len, heads)) + 6
    canvas = Canvas.blank(width, top + (_ROW + _GAP) * len(table.rows) + _MARGIN)
    canvas.text(_MARGIN, _MARGIN, "Copies found in spite of adversarial edits", size=18)
    for place, line in enumerate(notes):
        canvas.text(_MARGIN, _MARGIN + 28 + _LINE * place, line, size=11, colour=FAINT)
    left = _MARGIN + names
    for column, head in enumerate(heads):
        for place, line in enumerate(reversed(head)):
            x, y = left + _CELL * (column + 0.5), top - 6 - _LINE * place
            canvas.text(x, y, line, size=11, colour=FAINT, anchor="md")
    # Each column by itself: what an attack takes from a system, not which system is best.
    untouched = table.rows[0].micro_ap
    for row in table.rows:
        _draw_row(canvas, row, untouched, left=left, top=top)
        top += _ROW + _GAP
    return canvas


def _draw_row(
    canvas: Canvas, row: AttackRow, untouched: Mapping[str, float], *, left: float, top: float
) -> None:
    canvas.text(_MARGIN, top + 6, row.label)
    if row.measured_psnr is not None:
        below = f"measured {row.measured_psnr:.2f} dB"
        canvas.text(_MARGIN, top + 21, below, size=9.5, colour=FAINT)
    for column, (name, figure) in enumerate(row.micro_ap.items()):
        x = left + _CELL * column
        before = untouched[name]
        kept = min(figure / before, 1.0) if before > 0 else 1.0
        field = (x + 2, top, x + _CELL - 2, top + _ROW)
        canvas.box(*field, _shade(kept))
        if name in row.white_box:
            canvas.box(*field, INK, line=1)
        middle = top + _ROW / 2
        canvas.text(x + _CELL / 2, middle, f"{figure:.3f}", anchor="mm")


def _shade(kept: float) -> Colour:
    """Pale blue where all is kept, red where nothing is."""
    red, green, blue = (
        round(kept * whole + (1 - kept) * lost) for whole, lost in zip(_WHOLE, _LOST, strict=True)
    )
    return red, green, blue
