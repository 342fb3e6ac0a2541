"""Figures as texts, the same in Markdown, on the terminal and in pictures."""

from collections.abc import Sequence

from sscd.report.systems.rows import Measured, SystemRow, TableFacts


def micro_ap_text(measured: Measured) -> str:
    """`0.156 (0.134 to 0.178)`."""
    return f"{measured.micro_ap:.3f}{interval_text(measured)}"


def interval_text(measured: Measured) -> str:
    """` (0.134 to 0.178)`, or nothing where there is no interval."""
    if measured.low is None or measured.high is None:
        return ""
    return f" ({measured.low:.3f} to {measured.high:.3f})"


def time_text(row: SystemRow) -> str:
    """Milliseconds with two digits that count, and `†` where an earlier call measured them."""
    if row.milliseconds is None:
        return "not known"
    digits = 2 if row.milliseconds < 1 else 1 if row.milliseconds < 10 else 0
    return f"{row.milliseconds:.{digits}f}{'†' if row.earlier else ''}"


def norm_text(row: SystemRow) -> str:
    """What normalised scores are less, in words: `2.0[9]` is 2 × the 10th training score."""
    weight, ranks = row.norm.rstrip("]").split("[")
    places = [int(rank) + 1 for rank in ranks.split(",")]
    which = f"the {places[0]}th training score"
    if len(places) > 1:
        which = f"the mean of training scores {places[0]} to {places[1]}"
    return f"normalised: less {float(weight):g} × {which}"


def dims_text(row: SystemRow) -> str:
    """The length of a descriptor, or that there is none."""
    return "local" if row.dims is None else f"{row.dims:,}"


def earlier_line(rows: Sequence[SystemRow]) -> str:
    """What `†` means; empty where no row has it."""
    days = sorted({row.measured[:10] for row in rows if row.earlier})
    if not days:
        return ""
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    others = "" if all(row.earlier for row in rows) else ", not together with the other times"
    return f"† measured by an earlier call ({when}){others}"


def unreadable_line(facts: TableFacts) -> str:
    """How many pictures no system has seen; empty where there is none."""
    if not facts.unreadable:
        return ""
    noun = "picture" if facts.unreadable == 1 else "pictures"
    return f"{facts.unreadable:,} {noun} could not be read; table.skipped.txt lists them"


def has_intervals(rows: Sequence[SystemRow]) -> bool:
    """Whether any figure has its interval."""
    return any(one.low is not None for row in rows for one in (row.plain, row.normalised))


def hardware_lines(rows: Sequence[SystemRow]) -> list[str]:
    """What the times were taken on; one line, or one for each hardware with its systems."""
    hardware = list(dict.fromkeys(row.hardware for row in rows))
    if len(hardware) == 1:
        return [f"times: {hardware[0]}"]
    return [
        f"times: {where}: {', '.join(row.system for row in rows if row.hardware == where)}"
        for where in hardware
    ]
