"""What a run's `metrics.csv` says: speed, and how validation went."""

import csv
import statistics
from pathlib import Path

FILE = "metrics.csv"


def views_per_second(run: Path) -> float | None:
    """The median speed of a training; None where it is not known."""
    speeds = [float(row["train/views_per_s"]) for row in _rows(run) if row.get("train/views_per_s")]
    return statistics.median(speeds) if speeds else None


def validations(run: Path) -> list[tuple[int, float]]:
    """(epochs done, micro-AP) of every validation, in order; of what was repeated, the last."""
    found = {
        int(row["epoch"]) + 1: float(row["val/micro_ap"])
        for row in _rows(run)
        if row.get("val/micro_ap") and row.get("epoch")
    }
    return sorted(found.items())


def _rows(run: Path) -> list[dict[str, str]]:
    path = run / FILE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
