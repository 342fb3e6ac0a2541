"""What a processor is called, beside times that were measured on it."""

import platform
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def cpu(share: str, *, info: Path = _CPU_INFO) -> str:
    """The processor, and how much of it was used.

    Args:
        share: For example `2 processes`.
        info: Where Linux names it; elsewhere the architecture is named.
    """
    return f"CPU ({_model(info) or platform.processor() or platform.machine()}, {share})"


def _model(info: Path) -> str:
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return " ".join(next(named, "").split())
