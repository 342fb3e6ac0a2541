"""The tables of the terminal, at the 80 columns that a pipe has."""

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from sscd.report.systems.terminal import attacks_table
from tests.report.systems.table_rows import ATTACKS


def drawn(table: Table) -> list[str]:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


def test_few_systems_stand_side_by_side() -> None:
    lines = drawn(attacks_table(ATTACKS))
    assert any("attack" in line and "a" in line and "b" in line for line in lines)
    assert any("a, 40 dB" in line and "39.99" in line and "0.125*" in line for line in lines)


def test_many_systems_stand_one_under_the_other() -> None:
    names = [f"system {number}" for number in range(12)]
    rows = tuple(
        replace(row, micro_ap=dict.fromkeys(names, 0.25), white_box=row.white_box and ("system 3",))
        for row in ATTACKS.rows
    )
    lines = drawn(attacks_table(replace(ATTACKS, rows=rows)))
    assert next(line for line in lines if "0.250*" in line).count("system 3") == 1
    for name in names:  # on one line, with both figures
        (line,) = [line for line in lines if f" {name} " in line]
        assert line.count("0.250") == 2
