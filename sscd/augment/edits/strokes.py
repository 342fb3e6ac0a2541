"""What editors draw on a picture by hand: handwriting, and free brush strokes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from sscd.augment.edits.canvas import Canvas
from sscd.augment.edits.draws import choice, integer, seed, uniform
from sscd.augment.edits.operation import (
    EditAlone,
    Edited,
    IntegerRange,
    Range,
    Shares,
    Within,
)
from sscd.augment.edits.pen import Path, draw_ink, ellipse_path, ink_mask, lay_ink, smooth_path
from sscd.augment.edits.script import script_line


@dataclass(frozen=True)
class Handwriting(EditAlone):
    """Lines of handwriting across the picture (paper, figure 4).

    Attributes:
        lines: Number of lines.
        height: Height of a small letter over the short side.
        pen: The pen's width over the height of a small letter.
        length: Length of a line over the picture's width.
        slant: How far letters lean to the right over their height.
        angle: Of the lines, degrees anticlockwise.
        opacity: Of the ink.
    """

    lines: Annotated[IntegerRange, Within(1, 20)]
    height: Annotated[Range, Within(0.01, 1.0)]
    pen: Shares
    length: Shares
    slant: Annotated[Range, Within(-2.0, 2.0)]
    angle: Annotated[Range, Within(-180.0, 180.0)]
    opacity: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Write on the picture."""
        width, height = canvas.image.size
        letter = uniform(rng, self.height) * min(width, height)
        pen, slant = uniform(rng, self.pen) * letter, uniform(rng, self.slant)
        angle, opacity = uniform(rng, self.angle), uniform(rng, self.opacity)
        lines, length = integer(rng, self.lines), uniform(rng, self.length) * width
        color, stroke_seed = draw_ink(rng), seed(rng)
        strokes = np.random.default_rng(stroke_seed)
        x, y = (
            strokes.uniform(0, 1, 2) * (width - length, max(0.0, height - 2.6 * lines * letter))
        ).tolist()
        paths = []
        for line in range(lines):
            start = np.array([x, y + (1.0 + 2.6 * line) * letter])
            words = script_line(strokes, length=length / letter, slant=slant)
            paths += [_turn(start + word * letter, angle, around=(x, y)) for word in words]
        ink = ink_mask(canvas.image.size, paths, width=pen)
        parameters = {"lines": lines, "letter": letter, "pen": pen, "length": length}
        parameters |= {"slant": slant, "angle": angle, "opacity": opacity, "x": x, "y": y}
        return lay_ink(canvas, ink, color=color, opacity=opacity), {
            **parameters,
            "color": list(color),
            "seed": stroke_seed,
        }


@dataclass(frozen=True)
class Drawing(EditAlone):
    """Free brush strokes: curves, arrows, scribbles and circles (paper, figure 4).

    Attributes:
        marks: Number of marks.
        size: Extent of a mark over the short side.
        pen: The brush's width over the short side.
        opacity: Of the paint.
    """

    marks: Annotated[IntegerRange, Within(1, 50)]
    size: Annotated[Range, Within(0.0, 2.0)]
    pen: Shares
    opacity: Shares

    def edit(self, canvas: Canvas, rng: np.random.Generator) -> Edited:
        """Draw on the picture."""
        short = min(canvas.image.size)
        marks: list[dict[str, object]] = []
        for _ in range(integer(rng, self.marks)):
            kind = choice(rng, tuple(_MARKS))
            size, pen = uniform(rng, self.size), uniform(rng, self.pen) * short
            opacity, color = uniform(rng, self.opacity), draw_ink(rng)
            x, y = (rng.uniform(0.1, 0.9, 2) * canvas.image.size).tolist()
            mark_seed = seed(rng)
            shapes = _MARKS[kind](np.random.default_rng(mark_seed))
            paths = [np.array([x, y]) + shape * size * short for shape in shapes]
            ink = ink_mask(canvas.image.size, paths, width=pen)
            canvas = lay_ink(canvas, ink, color=color, opacity=opacity)
            mark = {"kind": kind, "x": x, "y": y, "size": size * short, "pen": pen}
            marks.append({**mark, "opacity": opacity, "color": list(color), "seed": mark_seed})
        return canvas, {"marks": marks}


def _turn(path: Path, degrees: float, *, around: tuple[float, float]) -> Path:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned: Path = (path - around) @ np.array([[cos, -sin], [sin, cos]]) + around
    return turned


# Marks have an extent of about 1 and lie about (0, 0).


def _curve(rng: np.random.Generator) -> list[Path]:
    along = np.linspace(-0.5, 0.5, int(rng.integers(3, 7)))
    points = np.stack([along, 0.18 * rng.standard_normal(len(along))], axis=1)
    return [_turn(smooth_path(points), rng.uniform(0, 360), around=(0.0, 0.0))]


def _arrow(rng: np.random.Generator) -> list[Path]:
    bend = rng.uniform(-0.15, 0.15)
    shaft = smooth_path(np.array([[-0.5, 0.0], [0.0, bend], [0.5, 0.0]]))
    barb, spread = rng.uniform(0.15, 0.28), rng.uniform(0.35, 0.7, 2)
    ends = [
        (0.5 - barb * np.cos(a), s * barb * np.sin(a)) for a, s in zip(spread, (1, -1), strict=True)
    ]
    head = np.array([ends[0], (0.5, 0.0), ends[1]])
    angle = rng.uniform(0, 360)
    return [_turn(path, angle, around=(0.0, 0.0)) for path in (shaft, head)]


def _scribble(rng: np.random.Generator) -> list[Path]:
    along = np.linspace(-0.5, 0.5, 2 * int(rng.integers(3, 8)))
    across = rng.uniform(0.1, 0.3) * np.where(np.arange(len(along)) % 2, 1.0, -1.0)
    points = np.stack([along, across], axis=1) + 0.03 * rng.standard_normal((len(along), 2))
    return [_turn(smooth_path(points), rng.uniform(0, 360), around=(0.0, 0.0))]


def _circle(rng: np.random.Generator) -> list[Path]:
    radii, turns = (0.5, float(rng.uniform(0.25, 0.5))), float(rng.uniform(1.0, 2.0))
    loop = ellipse_path(rng, center=(0.0, 0.0), radii=radii, turns=turns, wobble=0.05)
    return [_turn(loop, rng.uniform(0, 360), around=(0.0, 0.0))]


def _cross(rng: np.random.Generator) -> list[Path]:
    ends = np.array([[(-0.35, -0.35), (0.35, 0.35)], [(0.35, -0.35), (-0.35, 0.35)]])
    return list(ends + 0.06 * rng.standard_normal(ends.shape))


_MARKS: dict[str, Callable[[np.random.Generator], list[Path]]] = {
    "curve": _curve,
    "arrow": _arrow,
    "scribble": _scribble,
    "circle": _circle,
    "cross": _cross,
}
