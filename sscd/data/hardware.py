"""What a processor is called, beside times that were measured on it."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["process", "thread"]

_CPU_INFO = Path("/proc/cpuinfo")
_PLURAL: Mapping[Unit, str] = {"process": "processes", "thread": "threads"}


def cpu(count: int, unit: Unit, *, info: Path = _CPU_INFO) -> str:
    """The processor, and how much of it was used.

    Args:
        count: How many of them worked, 1 or more.
        unit: Processes or threads.
        info: Where Linux names it; elsewhere the architecture is named.
    """
    share = f"{count} {unit if count == 1 else _PLURAL[unit]}"
    return f"CPU ({_model(info) or platform.processor() or platform.machine()}, {share})"


def _model(info: Path) -> str:
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return " ".join(next(named, "").split())
