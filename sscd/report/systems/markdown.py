"""The tables of systems as Markdown."""

from collections.abc import Sequence

from sscd.report.systems.cells import (
    dims_text,
    earlier_line,
    has_intervals,
    micro_ap_text,
    norm_text,
    time_text,
    unreadable_line,
)
from sscd.report.systems.rows import AttackTable, SystemRow, TableFacts


def systems_markdown(rows: Sequence[SystemRow], facts: TableFacts) -> str:
    """Table 2: one row a system.

    Args:
        rows: In their order.
        facts: What they were measured on.

    Returns:
        Markdown that ends with a line end.
    """
    heads = ("system", "dimension", "μAP", "μAP, normalised", "recall at P90", "P90, normalised")
    brackets = " In brackets 95 % intervals over queries." if has_intervals(rows) else ""
    lines = [
        f"{_inline(facts.line)}.{brackets}",
        "",
        *_head([*heads, "ms an image", "hardware", "how it was made"], right=range(1, 7)),
    ]
    for row in rows:
        cells = (
            row.system,
            dims_text(row),
            micro_ap_text(row.plain),
            micro_ap_text(row.normalised),
            f"{row.plain.recall_at_p90:.3f}",
            f"{row.normalised.recall_at_p90:.3f}",
            time_text(row),
            row.hardware,
            "; ".join(filter(None, (row.note, norm_text(row)))),
        )
        lines.append(_line(cells))
    notes = [earlier_line(rows), unreadable_line(facts), *_missing(rows), *_left_out(facts)]
    for note in filter(None, notes):
        lines += ["", _inline(note)]
    return "\n".join(lines) + "\n"


def attacks_markdown(table: AttackTable) -> str:
    """Table 3: one row an attack, one column a system.

    Args:
        table: One row at least.

    Returns:
        Markdown that ends with a line end.
    """
    systems = list(table.rows[0].micro_ap)
    lines = [
        f"{_inline(table.line)}; \\* the network that was attacked.",
        "",
        *_head(["attack", "PSNR measured", *systems], right=range(1, len(systems) + 2)),
    ]
    for row in table.rows:
        psnr = "" if row.measured_psnr is None else f"{row.measured_psnr:.2f} dB"
        figures = (
            f"{row.micro_ap[name]:.3f}{' *' if name in row.white_box else ''}" for name in systems
        )
        lines.append(_line((row.label, psnr, *figures)))
    return "\n".join(lines) + "\n"


def _missing(rows: Sequence[SystemRow]) -> list[str]:
    return [
        f"{row.system}: {row.missing_pairs:,} true pairs count as missed, since a picture of them "
        "cannot be read"
        for row in rows
        if row.missing_pairs
    ]


def _left_out(facts: TableFacts) -> list[str]:
    return [f"Not in the table: {line}" for line in facts.left_out]


def _head(names: Sequence[str], *, right: range) -> list[str]:
    rule = ("---:" if place in right else "---" for place in range(len(names)))
    return [_line(names), f"|{'|'.join(rule)}|"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_inline, cells))} |"


def _inline(text: str) -> str:
    """Text that stays in its cell, and stays text."""
    plain = " ".join(text.split())
    for sign in "\\|*_`<[":
        plain = plain.replace(sign, f"\\{sign}")
    return plain
