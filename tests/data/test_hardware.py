from pathlib import Path

import pytest

from sscd.data.hardware import cpu


def test_the_processor_is_named_once(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\nmodel name\t: Other\n")
    assert cpu(2, "thread", info=info) == "CPU (Some CPU @ 2 GHz, 2 threads)"
    assert cpu(1, "thread", info=info) == "CPU (Some CPU @ 2 GHz, 1 thread)"
    assert cpu(3, "process", info=info) == "CPU (Some CPU @ 2 GHz, 3 processes)"


@pytest.mark.parametrize("text", [None, "", "processor : 0\n", "model name\t:  \n"])
def test_elsewhere_the_architecture_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    info = tmp_path / "cpuinfo"
    if text is not None:
        info.write_text(text)
    assert cpu(1, "process", info=info) == "CPU (riscv64, 1 process)"
