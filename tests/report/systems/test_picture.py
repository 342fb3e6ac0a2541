"""The pictures of the tables: bars as long as their figures, nothing outside the sheet."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sscd.report.systems.attack_picture import draw_attacks, write_attacks_picture
from sscd.report.systems.ink import INK, NORMALISED, PAPER, PLAIN, spelt, width_of, wrapped
from sscd.report.systems.picture import draw_systems, write_systems_picture
from tests.report.systems.table_rows import ATTACKS, FACTS, measured, row


def runs_of(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> list[int]:
    """Widths of the bars of a colour, from top to bottom, without the legend's square."""
    same = (pixels == colour).all(axis=2)
    widths = same.sum(axis=1)
    bars, before = [], 0
    for width in widths.tolist():
        if width and not before:
            bars.append(width)
        before = width
    return bars[1:]


def test_bars_are_as_long_as_their_figures() -> None:
    rows = [
        replace(row(name, figure), plain=measured(figure, spread=None))
        for name, figure in (("a", 0.1), ("b", 0.2), ("c", 0.35))
    ]
    pixels = np.asarray(draw_systems(rows, FACTS).image)
    lengths = runs_of(pixels, PLAIN)
    assert len(lengths) == len(runs_of(pixels, NORMALISED)) == 3
    assert lengths[1] / lengths[0] == pytest.approx(2, abs=0.02)
    assert lengths[2] / lengths[0] == pytest.approx(3.5, abs=0.04)


def test_nothing_reaches_the_edges_however_long_names_are() -> None:
    long = replace(
        row("a system of a very long name that no column holds " * 3, 0.96),
        note="μ× made by 用 " * 30,
        hardware="a machine " * 40,
    )
    for image in (
        draw_systems([long, row("b", 0.0, dims=None, earlier=True)], FACTS).image,
        draw_attacks(ATTACKS).image,
    ):
        pixels = np.asarray(image)
        for edge in (pixels[:8], pixels[-8:], pixels[:, :8], pixels[:, -8:]):
            assert (edge == PAPER).all()
        assert (pixels != PAPER).any()


def test_files_are_png(tmp_path: Path) -> None:
    write_systems_picture(tmp_path / "a.png", [row("a", 0.1)], FACTS)
    write_attacks_picture(tmp_path / "b.png", ATTACKS)
    for name in ("a.png", "b.png"):
        with Image.open(tmp_path / name) as image:
            assert image.format == "PNG"
            assert image.width > 400


def test_fields_grow_red_where_copies_are_lost() -> None:
    image = draw_attacks(ATTACKS).image
    colours = {colour: count for count, colour in image.getcolors(1 << 20) or []}
    fields = [c for c, n in colours.items() if n > 5000 and c not in (PAPER, INK)]
    red = [c for c in fields if isinstance(c, tuple) and c[0] > c[2] + 20]
    assert len(fields) == 2  # as before, thrice; and a quarter of it
    assert len(red) == 1


def test_signs_that_the_font_lacks_are_spelt() -> None:
    assert spelt("32×32, μAP – λ 用") == "32x32, uAP - lambda ?"
    lines = wrapped("some words of which two go on a line", 80)
    assert " ".join(lines) == "some words of which two go on a line"
    assert max(width_of(line) for line in lines) <= 80
