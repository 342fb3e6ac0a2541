"""Rows of systems that were never measured, for pages and pictures."""

from sscd.report.systems.rows import AttackRow, AttackTable, Measured, SystemRow, TableFacts


def measured(micro_ap: float, *, spread: float | None = 0.02) -> Measured:
    """A figure, with an interval of its spread on both sides."""
    if spread is None:
        return Measured(micro_ap, None, None, micro_ap / 2)
    return Measured(micro_ap, micro_ap - spread, micro_ap + spread, micro_ap / 2)


def row(
    system: str, micro_ap: float, *, dims: int | None = 256, earlier: bool = False
) -> SystemRow:
    """A row."""
    return SystemRow(
        system=system,
        dims=dims,
        plain=measured(micro_ap),
        normalised=measured(min(micro_ap * 1.5, 0.97)),
        norm="0.5[9]",
        milliseconds=12.34,
        hardware="CPU (2 threads)",
        note="no training",
        fingerprint="",
        missing_pairs=0,
        measured="2026-01-02T03:04:05+00:00",
        earlier=earlier,
    )


FACTS = TableFacts("disc", 300, 200, 100, 50, "the globally best 500,000 pairs", ("HOW: no",))
ATTACKS = AttackTable(
    (
        AttackRow("none", None, None, {"a": 0.5, "b": 0.0}),
        AttackRow("a", 40, 39.99, {"a": 0.125, "b": 0.0}, ("a",)),
    ),
    queries=40,
    matched=50,
)
