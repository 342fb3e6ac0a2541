"""The table of systems beside one another."""

import pytest
from rich.console import Console

from sscd.evaluation.differences import differences
from sscd.report.comparison import comparison_table
from sscd.report.contents import make_contents
from tests.report.page.systems import judged, named, predicted


def test_table_names_the_protocol_and_gives_an_interval() -> None:
    good, bad = judged("good", noise=0.1), judged("bad", noise=1.4)
    table = comparison_table(make_contents([good, bad], samples=50))
    console = Console(width=160)
    with console.capture() as captured:
        console.print(table)
    text = captured.get()
    assert "30 copies among 60 queries, 40 references, 10 neighbours a query" in text
    assert "against the first" in text
    lines = text.splitlines()
    first, second = (line for line in lines if "good  " in line or "bad  " in line)
    assert f"{good.evaluation.figures.micro_ap:.3f}" in first
    difference = differences(bad, good, samples=50)[0].interval
    assert difference is not None
    assert f"{difference.estimate:+.3f} " in second
    assert "falls behind" in second
    below = lines[lines.index(second) + 1]
    assert f"({difference.low:+.3f} to {difference.high:+.3f})" in below


def test_predictions_do_not_say_how_many_references_there_were() -> None:
    mine = predicted([("Q0", "R0", 0.9), ("Q1", "R0", 0.8)], [("Q0", "R0")])
    table = comparison_table(make_contents([named(mine, "mine")], samples=0))
    assert str(table.title) == "1 copies among 2 queries, ? references, 2 predicted pairs"
    assert len(table.columns) == 3


def test_names_are_no_markup() -> None:
    systems = [named(judged(), "[/bold]"), named(judged(noise=1.4), "[red]x :smile:")]
    console = Console(width=200)
    with console.capture() as captured:
        console.print(comparison_table(make_contents(systems, samples=30)))
    assert "│ [/bold] " in captured.get()
    assert "[red]x :smile:" in captured.get()


def test_what_cannot_be_compared_says_why() -> None:
    other = predicted([("x", "r", 1.0)], [("x", "r")])
    table = comparison_table(make_contents([judged("a"), other], samples=0))
    assert "other" in str(list(table.columns[4].cells)[1])


def test_no_count_stands_over_runs_on_different_data() -> None:
    other = named(judged(queries=58), "b")
    contents = make_contents([judged("a"), other], samples=0)
    assert str(comparison_table(contents).title) == contents.mixed


@pytest.mark.parametrize("width", [60, 80])
def test_it_fits_a_narrow_terminal(width: int) -> None:
    systems = [named(judged(), "best.ckpt (one)"), named(judged(noise=1.4), "best.ckpt (another)")]
    console = Console(width=width)
    with console.capture() as captured:
        console.print(comparison_table(make_contents(systems, samples=30)))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    rows = [line for line in lines if line.startswith("│")]
    assert all(line.endswith("│") for line in rows)
    assert "…" not in captured.get()
    assert "".join(line.split("│")[5].strip() for line in rows) == "".join(
        ["falls behind"] if width == 80 else ["falls", "behind"]
    )
