"""An evaluation as tables for the terminal."""

from dataclasses import replace

from rich.console import Console

from sscd.evaluation.report import make_report
from sscd.report.evaluation_tables import edits_table
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
