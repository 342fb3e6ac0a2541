import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from sscd.formats import usage


def test_peak_memory_is_of_this_process_and_its_children() -> None:
    resource = pytest.importorskip("resource")
    before = usage.peak_cpu_bytes()
    code = "x = bytearray(300 << 20)"
    subprocess.run([sys.executable, "-c", code], check=True)
    after = usage.peak_cpu_bytes()
    assert before is not None
    assert after is not None
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    assert after >= own + (300 << 20)
    assert before >= 10 << 20


def test_gpu_memory_is_that_of_the_device_that_used_most(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    used = [3, 9, 5]
    cuda = SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: len(used),
        max_memory_allocated=lambda device: used[device],
    )
    monkeypatch.setattr(torch, "cuda", cuda)
    assert usage.peak_gpu_bytes() == 9
    used[:] = [0, 0, 0]
    assert usage.peak_gpu_bytes() is None
    cuda.is_available = lambda: False
    assert usage.peak_gpu_bytes() is None


def test_versions_and_date() -> None:
    assert set(usage.versions()) == {"sscd", "torch", "python"}
    assert all(usage.versions().values())
    now = datetime.fromisoformat(usage.utc_now())
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(hours=1)
