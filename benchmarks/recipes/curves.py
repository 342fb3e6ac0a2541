"""Learning curves: micro-AP of each validation by what the training had cost until then."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageDraw

from benchmarks.recipes.cost import UNIT_SIZE
from benchmarks.recipes.row import BASE
from sscd.files import atomic_path
from sscd.report.systems.ink import FAINT, INK, RULE, SCALE, Canvas, Colour, width_of

_COLOURS: tuple[Colour, ...] = (
    *((46, 108, 160), (196, 92, 40), (74, 138, 72), (142, 84, 160), (178, 142, 40)),
)
_OTHERS: Colour = (200, 200, 196)
_LEFT, _TOP, _WIDTH, _HEIGHT, _LABELS, _FOOT = 60, 74, 520, 320, 190, 54


@dataclass(frozen=True)
class Curve:
    """One training.

    Attributes:
        row: Its row.
        points: (cost so far, micro-AP) of each validation, rising in cost.
    """

    row: str
    points: tuple[tuple[float, float], ...]


def write_curves(path: Path, curves: Sequence[Curve], *, best: Sequence[str]) -> None:
    """Draw the curves to a PNG file.

    Args:
        path: The file.
        curves: One or more.
        best: Rows, the best first: these have colours where they have a curve, the published one is
            black, others grey.

    Raises:
        UserError: The file cannot be written.
    """
    with atomic_path(path) as temporary:
        draw_curves(curves, best=best).image.save(temporary, format="PNG", optimize=True)


def draw_curves(curves: Sequence[Curve], *, best: Sequence[str]) -> Canvas:
    """Draw the curves; see `write_curves`."""
    canvas = Canvas.blank(_LEFT + _WIDTH + _LABELS, _TOP + _HEIGHT + _FOOT)
    drawn = {curve.row for curve in curves if len(curve.points) > 1}
    shown = [row for row in best if row in drawn and row != BASE][: len(_COLOURS)]
    colours = dict(zip(shown, _COLOURS, strict=False)) | {BASE: INK}
    farthest = max(cost for curve in curves for cost, _ in curve.points)
    highest = _rounded_up(max(ap for curve in curves for _, ap in curve.points))
    _draw_frame(canvas, farthest=farthest, highest=highest)
    # Grey ones first, so that they lie below.
    for curve in sorted(curves, key=lambda one: one.row in colours):
        places = [
            (_LEFT + _WIDTH * cost / farthest, _TOP + _HEIGHT * (1 - ap / highest))
            for cost, ap in curve.points
        ]
        _draw_line(canvas, places, colours.get(curve.row, _OTHERS), bold=curve.row in colours)
    _draw_labels(canvas, curves, colours, highest=highest)
    return canvas


def _draw_frame(canvas: Canvas, *, farthest: float, highest: float) -> None:
    canvas.text(20, 18, "Validation in the course of training: micro-AP as it is", size=18)
    foot = f"cost so far, thousands of views at {UNIT_SIZE} px; development, not whitened"
    canvas.text(_LEFT, _TOP + _HEIGHT + 28, foot, size=11, colour=FAINT)
    for place in range(5):
        y = _TOP + _HEIGHT * (1 - place / 4)
        canvas.rule(_LEFT, y, _LEFT + _WIDTH, RULE)
        canvas.text(_LEFT - 8, y, f"{highest * place / 4:.2f}", size=11, colour=FAINT, anchor="rm")
        x, cost = _LEFT + _WIDTH * place / 4, farthest * place / 4
        canvas.text(
            x, _TOP + _HEIGHT + 8, f"{cost / 1000:,.3g}", size=11, colour=FAINT, anchor="ma"
        )


def _draw_line(
    canvas: Canvas, places: Sequence[tuple[float, float]], colour: Colour, *, bold: bool
) -> None:
    draw = ImageDraw.Draw(canvas.image)
    points = [(x * SCALE, y * SCALE) for x, y in places]
    width = (2 if bold else 1) * SCALE
    draw.line(points, fill=colour, width=width, joint="curve")
    for x, y in points:
        draw.ellipse((x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width), fill=colour)


def _draw_labels(
    canvas: Canvas, curves: Sequence[Curve], colours: dict[str, Colour], *, highest: float
) -> None:
    """Name the coloured rows beside their ends, the higher ones first, none over another."""
    ends: dict[str, float] = {}
    for curve in curves:
        if curve.row in colours:
            ends[curve.row] = max(ends.get(curve.row, 0.0), curve.points[-1][1])
    below = 0.0
    for row, end in sorted(ends.items(), key=lambda item: -item[1]):
        y = max(_TOP + _HEIGHT * (1 - end / highest), below)
        canvas.text(_LEFT + _WIDTH + 12, y, _fitted(row), size=12, colour=colours[row], anchor="lm")
        below = y + 15


def _fitted(name: str) -> str:
    while width_of(name, size=12) > _LABELS - 20:
        name = name[:-2] + "…"
    return name


def _rounded_up(highest: float) -> float:
    """The axis's end: a number whose quarters are short, above all points."""
    return next((end for end in (0.04, 0.08, 0.2, 0.4, 0.6, 0.8) if highest <= end), 1.0)
