"""A table of systems judged on the same queries, with paired intervals."""

from rich.table import Table
from rich.text import Text

from sscd.evaluation.differences import Difference
from sscd.report.contents import Contents


def comparison_table(contents: Contents) -> Table:
    """One row a system, with how far its micro-AP is from that of the first.

    Args:
        contents: One system or more.
    """
    reports = [shown.report for shown in contents.systems]
    first = reports[0]
    figures = first.figures
    table = Table(
        title=f"{figures.true_pairs:,} copies among {figures.queries:,} queries, "
        f"{'?' if figures.references is None else f'{figures.references:,}'} references, "
        f"{figures.protocol}",
        title_justify="left",
    )
    table.add_column("descriptor")
    for heading in ("micro-AP", "recall at P90", f"against {first.system} (95 %)"):
        table.add_column(Text(heading), justify="right")  # rich reads markup in plain strings
    told = {one.system: one for one in contents.differences if one.figure == "micro_ap"}
    for report in reports:
        own = report.figures
        difference = _difference(told[report.system]) if report.system in told else ""
        table.add_row(
            Text(report.system), f"{own.micro_ap:.3f}", f"{own.recall_at_p90:.3f}", difference
        )
    return table


def _difference(difference: Difference) -> str:
    if (told := difference.interval) is None:
        return difference.why_not
    return f"{told.estimate:+.3f} ({told.low:+.3f} to {told.high:+.3f})"
