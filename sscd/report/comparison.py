"""A table of systems beside one another, with paired intervals and what they say."""

from rich.table import Table
from rich.text import Text

from sscd.evaluation.differences import Difference
from sscd.evaluation.report import Report
from sscd.report.contents import Contents


def comparison_table(contents: Contents) -> Table:
    """One row a system, with how far its micro-AP is from that of the first, and a verdict.

    Args:
        contents: One system or more.
    """
    reports = [shown.report for shown in contents.systems]
    first = reports[0]
    table = Table(
        # Rich reads markup in plain strings.
        title=Text(contents.mixed or f"{counts(first)}, {first.figures.protocol}"),
        title_justify="left",
    )
    table.add_column("system", overflow="fold")
    table.add_column("micro-AP", justify="right", no_wrap=True)
    table.add_column("recall\nat P90", justify="right", no_wrap=True)
    if len(reports) > 1:
        table.add_column("against the first\n(95 %)", justify="right", no_wrap=True)
        table.add_column("verdict", overflow="fold")
    told = {one.system: one for one in contents.differences if one.figure == "micro_ap"}
    for report in reports:
        own = report.figures
        difference = _difference(told[report.system]) if report.system in told else ("", "")
        table.add_row(
            Text(report.system),
            f"{own.micro_ap:.3f}",
            f"{own.recall_at_p90:.3f}",
            *(difference if len(reports) > 1 else ()),
        )
    return table


def counts(report: Report) -> str:
    """What a system was judged on, in numbers."""
    figures = report.figures
    references = "?" if figures.references is None else f"{figures.references:,}"
    return (
        f"{figures.true_pairs:,} copies among {figures.queries:,} queries, {references} references"
    )


def _difference(difference: Difference) -> tuple[str, str]:
    if (told := difference.interval) is None:
        return "", difference.why_not
    interval = f"({told.low:+z.3f} to {told.high:+z.3f})"
    return f"{told.estimate:+z.3f}\n{interval}", difference.verdict
