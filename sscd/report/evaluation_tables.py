"""An evaluation as tables for the terminal."""

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from sscd.evaluation.bootstrap import Interval
from sscd.evaluation.by_edit import EditBreakdown, EditGroup
from sscd.evaluation.figures import CopyFigures
from sscd.evaluation.report import Report
from sscd.evaluation.thresholds import ENOUGH_WRONG, Threshold


def figures_table(reports: Sequence[Report]) -> Table:
    """One column a report, one row a figure.

    Args:
        reports: Of one system, by one protocol each.
    """
    first = reports[0].figures
    references = "" if first.references is None else f", {first.references:,} references"
    table = Table(
        title=f"{first.true_pairs:,} copies, {first.queries:,} queries{references}",
        title_justify="left",
    )
    table.add_column("")
    for report in reports:
        table.add_column(report.figures.protocol, justify="right")
    rows: dict[str, list[str]] = {}
    for report in reports:
        for key, value in _figures(report.figures, report.micro_ap_interval).items():
            rows.setdefault(key, []).append(value)
    for key, values in rows.items():
        table.add_row(key, *values)
    return table


def _figures(figures: CopyFigures, interval: Interval | None) -> dict[str, str]:
    spread = f" ({interval.low:.4f} to {interval.high:.4f})" if interval else ""
    confidence = f" ({interval.confidence:.0%})" if interval else ""
    return {
        f"micro-AP{confidence}": f"{figures.micro_ap:.4f}{spread}",
        "recall at P90": f"{figures.recall_at_p90:.4f}",
        "  from score": _score(figures.threshold_at_p90),
        "recall at rank 1": f"{figures.recall_at_1:.4f}",
        "recall at rank 10": f"{figures.recall_at_10:.4f}",
        "macro-AP": f"{figures.macro_ap:.4f}",
    }


def thresholds_table(report: Report) -> Table:
    """Precision by number of references: from which score on, and with what recall."""
    cells = report.thresholds
    table = Table(
        title=f"accept a pair from which score on? ({report.figures.protocol}; recall in brackets)",
        title_justify="left",
        caption=f"? rests on so many observed wrong pairs, fewer than {ENOUGH_WRONG}: a guess; "
        "evaluate more queries to know",
        caption_justify="left",
    )
    table.add_column("precision")
    scales = list(dict.fromkeys(cell.scale for cell in cells))
    for scale in scales:
        table.add_column(f"{scale:,.6g}x references", justify="right")
    for precision in dict.fromkeys(cell.precision for cell in cells):
        row = [cell for cell in cells if cell.precision == precision]
        table.add_row(f"{precision:.1%}", *map(_cell, row))
    return table


def _cell(cell: Threshold) -> str:
    if not math.isfinite(cell.threshold):
        return "not reached"
    doubt = "" if cell.supported else f" ? {cell.wrong}"
    return f"{_score(cell.threshold)} ({cell.recall:.3f}){doubt}"


def edits_table(breakdown: EditBreakdown) -> Table:
    """Operations, the least survived first, then numbers of operations."""
    table = Table(title="by edit (distractors weighted to their share)", title_justify="left")
    table.add_column("edit", overflow="fold")
    for heading in ("copies", "micro-AP", "recall at P90", "recall at rank 1"):
        table.add_column(heading, justify="right", min_width=max(map(len, heading.split())))
    for group in breakdown.operations:
        table.add_row(*_edit(group, group.name))
    table.add_section()
    for group in breakdown.counts:
        table.add_row(*_edit(group, f"{group.name} operation{'' if group.name == '1' else 's'}"))
    return table


def _edit(group: EditGroup, name: str) -> tuple[str | Text, ...]:
    figures = (group.micro_ap, group.recall_at_p90, group.recall_at_1)
    # Of elsewhere: rich would read markup in a plain string.
    return (Text(name), f"{group.copies:,}", *(f"{figure:.3f}" for figure in figures))


def _score(score: float) -> str:
    return f"{score:z.4f}" if math.isfinite(score) else "none"
