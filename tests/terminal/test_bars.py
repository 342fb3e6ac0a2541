"""Bars as a real terminal gets them."""

import re
from pathlib import Path

import numpy as np
import pytest

from sscd.terminal import watched
from sscd.terminal.display import that_fit
from tests.terminal.in_terminal import drawn_by, lines_left

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def plain(drawn: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)


NESTED = """
from sscd.terminal import say, tracked, warn, working
import time
with working("judging", total=2, unit="systems") as work:
    for _ in tracked(range(1500), "resampling queries", unit="resamples"):
        time.sleep(0.0001)
    warn("look out")
    say("a result")
    work.advance(2)
"""


def test_counts_rate_and_time_in_one_display() -> None:
    drawn, status = drawn_by(NESTED)
    assert status == 0
    text = plain(drawn)
    assert "judging" in text
    assert re.search(r"resampling queries .*1,500", text)
    assert re.search(r"[\d,.]+ resamples/(s|min)", text)
    assert "2/2" in text
    assert "look out" in text
    assert drawn.count(HIDE) == 1  # one display for both
    assert drawn.rindex(SHOW) > drawn.rindex(HIDE)
    assert "resampling" not in text.splitlines()[-1]  # what is nested goes when it is done


LIGHTNINGS = """
import sys
from rich.console import Console
from rich.progress import Progress
from sscd.terminal import say, warn
with Progress(console=Console(stderr=True)) as bars:  # takes standard output, too
    for name in ("steps", "validation"):
        bars.add_task(name, total=2)
    bars.refresh()
    warn("look out")
    say("a [bold]result[/bold]")
"""


@pytest.mark.parametrize("program", [NESTED, LIGHTNINGS])
def test_what_is_said_beside_bars_stays(program: str, tmp_path: Path) -> None:
    drawn, status = drawn_by(program)
    assert status == 0, drawn
    lines = lines_left(drawn)
    said = [line for line in lines if "look out" in line or "result" in line]
    assert said in (
        ["warning: look out", "a result"],
        ["warning: look out", "a [bold]result[/bold]"],
    ), lines
    drawn, _ = drawn_by(program, out=tmp_path / "out")
    assert (tmp_path / "out").read_text() == f"{said[1]}\n"
    assert "warning: look out" in lines_left(drawn)


def test_results_go_to_their_file_while_a_bar_is_shown(tmp_path: Path) -> None:
    drawn, _ = drawn_by(NESTED, out=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a result\n"
    assert "a result" not in drawn


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"COLUMNS": "40"}, {"NO_COLOR": "1"}])
def test_other_terminals(environ: dict[str, str]) -> None:
    drawn, status = drawn_by(NESTED, environ=environ)
    assert status == 0
    assert "a result" in plain(drawn)
    if "TERM" in environ:
        assert HIDE not in drawn
    assert not re.search(r"\x1b\[\d*;?3\dm", drawn) or "NO_COLOR" not in environ


def test_ctrl_c_leaves_the_cursor() -> None:
    drawn, status = drawn_by(
        """
from sscd.endings import run_to_end
from sscd.terminal import tracked
import sys

def command():
    bars = tracked(range(10), "describing")  # a generator that nobody closes
    next(bars)
    raise KeyboardInterrupt("the same command goes on")

sys.exit(run_to_end(command))
"""
    )
    assert status == 130
    assert "sscd: error: interrupted; the same command goes on" in plain(drawn)
    assert drawn.index(HIDE) < drawn.rindex(SHOW) < drawn.index("sscd: error")


def test_quiet_draws_nothing() -> None:
    drawn, _ = drawn_by(
        "from sscd.terminal import *\n"
        "with output_mode(OutputMode(quiet=True)), working('describing', total=2) as work:\n"
        "    work.advance()"
    )
    assert drawn == ""


def test_watched_rows_are_the_same() -> None:
    rows = np.arange(12.0).reshape(6, 2)
    with watched(rows, "searching") as same:
        assert (len(same), same.shape) == (6, (6, 2))
        assert np.array_equal(same[2:5], rows[2:5])
        assert np.array_equal(same[0:6], rows)


EPOCHS = """
from sscd.terminal import say, working
for epoch in (1, 2):
    with working(f"Epoch {epoch}/2", total=6, unit="batches") as bar:
        bar.note({"loss": "1.234", "μAP": "0.567", "views/s": "1,200", "info_nce": "0.321"})
        bar.advance(6)
        with working("describing references", total=4) as other:
            other.advance(4)
            say(f"step {epoch}")
"""


@pytest.mark.parametrize(
    ("columns", "figures"),
    [
        (30, ""),  # not even one
        (60, "loss 1.234"),
        (80, "loss 1.234"),
        (170, "loss 1.234 · μAP 0.567 · views/s 1,200 · info_nce 0.321"),
    ],
)
def test_a_line_holds_the_figures_that_fit(columns: int, figures: str) -> None:
    drawn, status = drawn_by(EPOCHS, environ={"COLUMNS": str(columns)})
    assert status == 0, drawn
    left = [line for line in lines_left(drawn) if line]
    assert [line.split()[:2] for line in left] == [
        *(["step", "1"], ["Epoch", "1/2"]),
        *(["step", "2"], ["Epoch", "2/2"]),
    ]
    assert max(map(len, left)) <= columns
    assert [line for line in left[1::2] if figures not in line] == []


@pytest.mark.parametrize(
    ("room", "line"),
    [(0, ""), (7, ""), (8, "loss 1.2"), (17, "loss 1.2"), (18, "loss 1.2 · μAP 0.5")],
)
def test_figures_are_left_out_whole_from_the_end(room: int, line: str) -> None:
    assert that_fit({"loss": "1.2", "μAP": "0.5", "e": "1"}, room) == line
