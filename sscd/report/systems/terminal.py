"""The tables of systems on the terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from sscd.report.systems.cells import (
    dims_text,
    earlier_line,
    hardware_lines,
    interval_text,
    time_text,
)
from sscd.report.systems.rows import AttackTable, Measured, SystemRow, TableFacts


def systems_table(rows: Sequence[SystemRow], facts: TableFacts) -> Table:
    """Table 2, with intervals under the figures; how systems were made stands in the Markdown."""
    caption = "\n".join(filter(None, [*hardware_lines(rows), earlier_line(rows)]))
    table = Table(
        title=Text(facts.line),  # rich reads markup in plain strings
        title_justify="left",
        caption=Text(caption),
        caption_justify="left",
    )
    table.add_column("system", overflow="fold")
    table.add_column("dim.", justify="right", no_wrap=True)
    table.add_column("μAP", justify="right", no_wrap=True)
    table.add_column("μAP, normalised", justify="right", no_wrap=True)
    table.add_column("ms an image", justify="right")
    for row in rows:
        figures = (_two_lines(row.plain), _two_lines(row.normalised))
        table.add_row(Text(row.system), dims_text(row), *figures, time_text(row))
    return table


_MOST_COLUMNS = 6
"""Systems that fit side by side in a terminal."""


def attacks_table(attacks: AttackTable) -> Table:
    """Table 3; turned on its side where there are many systems."""
    table = Table(
        title=Text(f"{attacks.line}; * the network that was attacked"), title_justify="left"
    )
    if len(attacks.rows[0].micro_ap) > _MOST_COLUMNS:
        return _turned(table, attacks)
    table.add_column("attack", overflow="fold")
    table.add_column("PSNR\nmeasured", justify="right", no_wrap=True)
    systems = list(attacks.rows[0].micro_ap)
    for name in systems:
        table.add_column(Text(name), justify="right", overflow="fold")
    for row in attacks.rows:
        psnr = "" if row.measured_psnr is None else f"{row.measured_psnr:.2f}"
        figures = (
            f"{row.micro_ap[name]:.3f}{'*' if name in row.white_box else ''}" for name in systems
        )
        table.add_row(Text(row.label), psnr, *figures)
    return table


def _turned(table: Table, attacks: AttackTable) -> Table:
    table.add_column("system", overflow="fold")
    for row in attacks.rows:
        table.add_column(Text(row.label.replace(", ", "\n")), justify="right", overflow="fold")
    for name in attacks.rows[0].micro_ap:
        figures = (
            f"{row.micro_ap[name]:.3f}{'*' if name in row.white_box else ''}"
            for row in attacks.rows
        )
        table.add_row(Text(name), *figures)
    return table


def _two_lines(measured: Measured) -> str:
    return f"{measured.micro_ap:.3f}\n{interval_text(measured).strip()}".rstrip()
