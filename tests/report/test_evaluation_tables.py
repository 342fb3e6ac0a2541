"""An evaluation as tables for the terminal."""

from dataclasses import replace

from rich.console import Console

from sscd.evaluation.report import make_report
from sscd.report.evaluation_tables import edits_table, thresholds_table
from tests.report.page.systems import judged


def test_names_of_edits_are_no_markup() -> None:
    one = judged()
    names = dict.fromkeys(one.edits or {}, ("[/bold]", "[red]x :smile:"))
    breakdown = make_report(replace(one, edits=names), samples=0).edits
    assert breakdown is not None
    console = Console(width=120)
    with console.capture() as captured:
        console.print(edits_table(breakdown))
    assert "│ [/bold] " in captured.get()
    assert "│ [red]x :smile: " in captured.get()
    assert "│ 2 operations " in captured.get()


def test_a_narrow_terminal_cuts_no_name() -> None:
    one = judged()
    name = "into_screenshot_of_something_else"
    breakdown = make_report(
        replace(one, edits=dict.fromkeys(one.edits or {}, (name,))), samples=0
    ).edits
    assert breakdown is not None
    console = Console(width=60)
    with console.capture() as captured:
        console.print(edits_table(breakdown))
    text = captured.get()
    assert "…" not in text
    column = (line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│"))
    assert name in "".join(column)


def test_thresholds_fit_80_columns_a_line_each() -> None:
    report = make_report(judged(noise=0.8), samples=0)
    console = Console(width=80)
    with console.capture() as captured:
        console.print(thresholds_table(report))
    rows = [line for line in captured.get().splitlines() if line.startswith("│")]
    assert len(rows) == len({cell.precision for cell in report.thresholds})
    doubtful = [cell for cell in report.thresholds if cell.threshold < 0 and not cell.supported]
    assert sum(line.count(" ? ") for line in rows) == len(doubtful) > 0
