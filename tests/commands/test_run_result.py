"""What a training says at its end."""

import shlex
from pathlib import Path

import pytest

from sscd.cli import COMMANDS
from sscd.commands.run_result import finished
from sscd.training.run.run_directory import RunDirectory


def next_lines(run: Path) -> list[str]:
    result = finished(RunDirectory(run), contents=None, shown=(), own_pictures=True)
    return [str(line) for line in result.remarks[1:]]


def test_a_run_with_an_evaluation_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["sscd"])
    run = tmp_path / "my run"
    run.mkdir()
    assert not any("sscd report" in line for line in next_lines(run))
    (run / "evaluation.h5").touch()
    looked, compared = (line for line in next_lines(run) if "sscd report" in line)
    assert looked.endswith(f"sscd report {shlex.quote(str(run))}")
    assert compared.endswith(f"sscd report {shlex.quote(str(run))} OTHER_RUN")


def test_what_comes_next_are_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sscd"])
    (tmp_path / "evaluation.h5").touch()
    for line in next_lines(tmp_path):
        _, _, command = line.partition("sscd ")
        assert command.split()[0] in COMMANDS
