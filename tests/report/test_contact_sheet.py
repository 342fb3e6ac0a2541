"""The contact sheet."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sscd.report.contact_sheet import draw_sheet, spread, stack_sheets, write_contact_sheet

RED, GREEN = (200, 0, 0), (0, 160, 0)


def _mask(sheet: Image.Image, color: tuple[int, int, int]) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(np.asarray(sheet, int) - color) < 12
    return near[..., 0] & near[..., 1] & near[..., 2]


def test_pictures_stand_in_rows_and_captions_under_them() -> None:
    cells = [(Image.new("RGB", (40, 20), color), "text") for color in (RED, GREEN, GREEN)]
    sheet = draw_sheet(cells, columns=2, tile=40)
    plain = draw_sheet([(image, "") for image, _ in cells], columns=2, tile=40)
    assert sheet.size == plain.size
    rows, columns = np.nonzero(_mask(sheet, RED))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (18, 37, 8, 47)
    greens = np.nonzero(_mask(sheet, GREEN))
    assert greens[1].min() == 8  # the third starts the second row
    assert greens[1].max() == 95  # the second stands beside the first
    changed = (np.asarray(sheet) != np.asarray(plain)).any(axis=2)
    assert changed[48:62, 8:48].any()
    assert not changed[8:48].any()


def test_long_captions_are_wrapped_and_make_room() -> None:
    red = Image.new("RGB", (30, 30), RED)
    short = draw_sheet([(red, "a")], columns=1, tile=60)
    long = draw_sheet([(red, "several words that do not fit in a line")], columns=1, tile=60)
    word = draw_sheet([(red, "a" * 40)], columns=1, tile=60)
    assert long.width == word.width == short.width
    assert min(long.height, word.height) >= short.height + 28
    ink = (np.asarray(word, int).sum(axis=2) < 400) & ~_mask(word, RED)
    assert ink.any()
    assert np.nonzero(ink)[1].max() <= 8 + 60


def test_a_title_moves_everything_down() -> None:
    cells = [(Image.new("L", (9, 9)), "")]
    plain, titled = (draw_sheet(cells, columns=1, title=title) for title in ("", "Phase I"))
    assert titled.height > plain.height
    assert draw_sheet([], columns=3).height > 0


def test_sheets_are_stacked() -> None:
    stacked = stack_sheets([Image.new("RGB", (10, 5), RED), Image.new("RGB", (20, 7), GREEN)])
    assert stacked.size == (20, 12)
    assert _mask(stacked, RED).sum() == 50
    assert _mask(stacked, GREEN).sum() == 140


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (3, [0, 5, 9]), (10, list(range(10)))])
def test_items_are_spread_from_first_to_last(count: int, expected: list[int]) -> None:
    chosen = spread(range(10), count)
    assert len(chosen) == count
    assert chosen[0] == expected[0]
    assert chosen[-1] == expected[-1]
    assert chosen == sorted(set(chosen))


def test_too_small_is_an_error() -> None:
    with pytest.raises(ValueError, match="columns and tile got 0 and 10"):
        draw_sheet([], columns=0, tile=10)


def test_references_stand_left_of_their_copies(tmp_path: Path) -> None:
    for folder, name, color in (("references", "R0", RED), ("dev_queries", "Q0", GREEN)):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (60, 60), color).save(tmp_path / folder / f"{name}.jpg", quality=95)
    record = {
        "query_id": "Q0",
        "split": "dev",
        "reference_id": "R0",
        "table": "phase1",
        "edits": [{"name": "blur", "parameters": {}}],
        "surviving_area": 1.0,
    }
    path = tmp_path / "sheet.jpg"
    gone = {**record, "query_id": "Q1"}
    write_contact_sheet(path, {"Phase I": [record, gone]}, out=tmp_path, tile=60)
    with Image.open(path) as sheet:
        red, green = (np.nonzero(_mask(sheet, color))[1] for color in (RED, GREEN))
    assert len(green) > 3000
    assert red.min() < green.min()
    assert green.max() < 2 * 68 + 8
