"""What a run used and when: figures for `sscd.formats.run_record.RunRecord`."""

import importlib.metadata
import platform
import sys
from datetime import UTC, datetime

from sscd import __version__


def peak_cpu_bytes() -> int | None:
    """Largest resident memory of this process, plus that of its largest child that has ended.

    Worker processes share pages with their parent and run side by side, so this is a figure for
    orientation: shared pages count twice, and only one worker counts. None where the system does
    not tell (Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    # Linux and the BSDs count in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_maxrss for usage in used) * unit


def peak_gpu_bytes() -> int | None:
    """Largest memory that torch has had in use on one CUDA device; None where it used none."""
    import torch

    devices = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    used = max((torch.cuda.max_memory_allocated(device) for device in devices), default=0)
    return used or None


def versions() -> dict[str, str]:
    """Versions of this package, torch and Python."""
    return {
        "sscd": __version__,
        "torch": importlib.metadata.version("torch"),
        "python": platform.python_version(),
    }


def utc_now(*, exactly: bool = False) -> str:
    """The date and time, UTC, ISO 8601, to the second, or to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds" if exactly else "seconds")
