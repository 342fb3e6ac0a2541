"""A table of systems judged on the same queries, with paired intervals."""

from collections.abc import Mapping

from rich.table import Table

from sscd.evaluation.bootstrap import paired_difference
from sscd.evaluation.protocol import Evaluation


def comparison_table(systems: Mapping[str, Evaluation], *, against: str) -> Table:
    """One row a system, with how far one of them is ahead of it.

    Args:
        systems: Name → evaluation, all on the same queries and truth.
        against: The system whose lead over the others is given, with a paired bootstrap interval
            over queries.

    Raises:
        ValueError: `against` is not among them, or they were judged on different queries.
    """
    if against not in systems:
        raise ValueError(f"against got {against!r}; expected one of {', '.join(systems)}")
    first = systems[against]
    figures = first.figures
    table = Table(
        title=f"{figures.true_pairs} copies among {figures.queries} queries, "
        f"{'?' if figures.references is None else figures.references} references, "
        f"{figures.protocol}",
        title_justify="left",
    )
    table.add_column("descriptor")
    for heading in ("micro-AP", "recall at P90", f"lead of {against} (95 %)"):
        table.add_column(heading, justify="right")
    for name, system in systems.items():
        lead = ""
        if name != against:
            ahead = paired_difference(first.candidates, system.candidates)
            lead = f"{ahead.estimate:+.3f} ({ahead.low:+.3f} to {ahead.high:+.3f})"
        table.add_row(
            name, f"{system.figures.micro_ap:.3f}", f"{system.figures.recall_at_p90:.3f}", lead
        )
    return table
