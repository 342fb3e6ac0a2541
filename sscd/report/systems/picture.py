"""Table 2 as a picture: names, bars of micro-AP with their intervals, figures, times."""

from collections.abc import Sequence
from pathlib import Path

from sscd.files import atomic_path
from sscd.report.systems.cells import (
    dims_text,
    earlier_line,
    hardware_lines,
    has_intervals,
    interval_text,
    norm_text,
    time_text,
    unreadable_line,
)
from sscd.report.systems.ink import (
    FAINT,
    INK,
    NORMALISED,
    PLAIN,
    RULE,
    Canvas,
    Colour,
    width_of,
    wrapped,
)
from sscd.report.systems.rows import Measured, SystemRow, TableFacts

_MARGIN, _BARS, _FIGURES = 24, 380, 150
_NAMES = (200, 340)
_LINE, _BAR = 15, 15
_WHISKER: Colour = (60, 60, 60)


def write_systems_picture(path: Path, rows: Sequence[SystemRow], facts: TableFacts) -> None:
    """Draw the table to a PNG file, rows in their order.

    Args:
        path: The file.
        rows: One at least.
        facts: What they were measured on.

    Raises:
        UserError: The file cannot be written.
    """
    with atomic_path(path) as temporary:
        draw_systems(rows, facts).image.save(temporary, format="PNG", optimize=True)


def draw_systems(rows: Sequence[SystemRow], facts: TableFacts) -> Canvas:
    """Draw the table; see `write_systems_picture`."""
    longest = max(width_of(row.system) for row in rows)
    names = min(max(longest, _NAMES[0]), _NAMES[1])
    notes = [wrapped(_note(row), names, size=10.5) for row in rows]
    titles = [wrapped(row.system, names) for row in rows]
    heights = [
        max(2 * _BAR + 16, 17 * len(title) + 13 * len(note) + 14)
        for title, note in zip(titles, notes, strict=True)
    ]
    left = _MARGIN + names + 64  # where bars begin
    width = left + _BARS + _FIGURES + 90 + _MARGIN
    foot = _foot(rows, facts, width - 2 * _MARGIN)
    head = _head(rows, facts, width - 2 * _MARGIN)
    top = _MARGIN + 26 + _LINE * len(head) + 52
    canvas = Canvas.blank(width, top + sum(heights) + 20 + _LINE * len(foot) + _MARGIN)
    highest = max(max(_top(row.plain), _top(row.normalised)) for row in rows)
    full = _axis_end(highest)
    _draw_head(canvas, head, left=left, right=width - _MARGIN, top=top)
    _draw_axis(canvas, full, left=left, top=top, bottom=top + sum(heights))
    for row, title, note, height in zip(rows, titles, notes, heights, strict=True):
        canvas.rule(_MARGIN, top, width - _MARGIN)
        for place, line in enumerate(title):
            canvas.text(_MARGIN, top + 8 + 17 * place, line)
        for place, line in enumerate(note):
            below = top + 8 + 17 * len(title) + 13 * place
            canvas.text(_MARGIN, below, line, size=10.5, colour=FAINT)
        canvas.text(left - 16, top + 8, dims_text(row), anchor="ra")
        middle = top + height / 2
        for measured, colour, above in (
            (row.plain, PLAIN, middle - _BAR - 1),
            (row.normalised, NORMALISED, middle + 1),
        ):
            _draw_bar(canvas, measured, colour, left=left, top=above, full=full)
        canvas.text(width - _MARGIN, top + 8, time_text(row), anchor="ra")
        top += height
    canvas.rule(_MARGIN, top, width - _MARGIN)
    for place, line in enumerate(foot):
        canvas.text(_MARGIN, top + 14 + _LINE * place, line, size=11, colour=FAINT)
    return canvas


def _draw_head(canvas: Canvas, lines: list[str], *, left: float, right: float, top: float) -> None:
    canvas.text(_MARGIN, _MARGIN, "Systems that find copies: micro-AP", size=18)
    for place, line in enumerate(lines):
        canvas.text(_MARGIN, _MARGIN + 28 + _LINE * place, line, size=11, colour=FAINT)
    canvas.text(left - 16, top - 22, "dimension", size=11, colour=FAINT, anchor="ra")
    canvas.text(right, top - 22, "ms an image", size=11, colour=FAINT, anchor="ra")
    x = left
    for colour, label in ((PLAIN, "as they are"), (NORMALISED, "with score normalisation")):
        canvas.box(x, top - 44, x + 11, top - 33, colour)
        canvas.text(x + 17, top - 45, label, size=11)
        x += 17 + width_of(label, size=11) + 22


def _draw_axis(canvas: Canvas, full: float, *, left: float, top: float, bottom: float) -> None:
    for place in range(5):
        x = left + _BARS * place / 4
        canvas.pole(x, top, bottom, RULE)
        canvas.text(x, top - 22, f"{full * place / 4:.2g}", size=11, colour=FAINT, anchor="ma")


def _draw_bar(
    canvas: Canvas, measured: Measured, colour: Colour, *, left: float, top: float, full: float
) -> None:
    end = left + _BARS * measured.micro_ap / full
    canvas.box(left, top, end, top + _BAR - 2, colour)
    middle, text_at = top + _BAR / 2 - 1, end
    if measured.low is not None and measured.high is not None:
        low, high = (left + _BARS * value / full for value in (measured.low, measured.high))
        canvas.rule(low, middle, high, _WHISKER)
        for x in (low, high):
            canvas.pole(x, middle - 3, middle + 3, _WHISKER)
        text_at = max(end, high)
    canvas.text(text_at + 8, middle, f"{measured.micro_ap:.3f}", size=12, colour=INK, anchor="lm")
    after = text_at + 14 + width_of(f"{measured.micro_ap:.3f}", size=12)
    canvas.text(after, middle, interval_text(measured).strip(), size=9.5, colour=FAINT, anchor="lm")


def _head(rows: Sequence[SystemRow], facts: TableFacts, width: float) -> list[str]:
    lines = "; lines are 95 % intervals over queries" if has_intervals(rows) else ""
    return wrapped(f"{facts.line}{lines}", width, size=11)


def _foot(rows: Sequence[SystemRow], facts: TableFacts, width: float) -> list[str]:
    left_out = (f"not in the table: {line}" for line in facts.left_out)
    texts = [*hardware_lines(rows), earlier_line(rows), unreadable_line(facts), *left_out]
    return [line for text in texts if text for line in wrapped(text, width, size=11)]


def _note(row: SystemRow) -> str:
    return "; ".join(filter(None, (row.note, norm_text(row))))


def _top(measured: Measured) -> float:
    return measured.micro_ap if measured.high is None else max(measured.micro_ap, measured.high)


def _axis_end(highest: float) -> float:
    """The axis's end: a round number that all bars stay below."""
    ends = (0.02, 0.04, 0.08, 0.1, 0.2, 0.4, 0.6, 0.8)
    return next((end for end in ends if highest <= end), 1.0)
