"""`sscd make-disc` once more on the same directory: finished, interrupted, damaged or in use."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sscd.cli import main
from sscd.data.benchmark import copying, editing
from sscd.data.edited_copies import write_copy
from tests.commands.benchmarks import arguments, tree
from tests.conftest import REPOSITORY


def test_a_finished_benchmark_is_left_alone(
    folder: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "whole"
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    capsys.readouterr()
    assert main(arguments(folder, out)) == 0
    assert "is complete already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times
    assert main(arguments(folder, out, "--seed", "1")) == 2
    assert f"{out} was made otherwise: --seed was 0, is now 1; give" in capsys.readouterr().err
    (folder / "1.jpg").unlink()
    assert main(arguments(folder, out)) == 2
    assert f"otherwise: the pictures of {folder} changed since; give" in capsys.readouterr().err
    assert tree(out) == whole


LOSSES = {
    "a reference": ["references/R000003.jpg"],
    "a query": ["dev_queries/Q00004.jpg"],
    "directories": ["train", "test_queries"],
    "records": ["edits.jsonl"],
    "lists": ["list_files", "sources.csv", "dev_queries_groundtruth.csv", "references/R000000.jpg"],
    "the sheet": ["contact_sheet.jpg"],
    "checksums": ["checksums.sha256"],
}


@pytest.mark.parametrize("lost", LOSSES.values(), ids=LOSSES)
def test_a_benchmark_that_lost_files_is_mended(
    lost: list[str], folder: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "whole"
    for name in lost:
        shutil.rmtree(out / name) if (out / name).is_dir() else (out / name).unlink()
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("R*.jpg")}
    capsys.readouterr()
    assert main(arguments(folder, out)) == 0
    printed = capsys.readouterr().out
    assert f"{out} lost " in printed
    assert "they are made again" in printed
    assert tree(out) == whole
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert main(arguments(folder, out)) == 0
    assert "is complete already" in capsys.readouterr().out


def test_mending_that_was_interrupted_goes_on(
    folder: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder.parent / "whole"
    shutil.rmtree(out / "dev_queries")
    shutil.rmtree(out / "references")
    for module, function in ((copying, "_copy"), (editing, "_edit")):
        with monkeypatch.context() as patch:
            broken = _nth_call(getattr(module, function), 5, KeyboardInterrupt())
            patch.setattr(module, function, broken)
            assert main(arguments(folder, out)) == 130
    assert len(list((out / "dev_queries").iterdir())) == 4
    assert main(arguments(folder, out)) == 0
    assert tree(out) == whole


def test_other_pictures_of_the_same_size_do_not_mend(
    folder: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "whole"
    (out / "references" / "R000003.jpg").unlink()
    source = folder / whole["sources.csv"].decode().splitlines()[5].split(",")[1]
    source.write_bytes(b"x" * source.stat().st_size)
    assert main(arguments(folder, out)) == 2
    error = capsys.readouterr().err
    assert f"cannot be mended: the pictures of {folder} changed since; give" in error
    assert not list(out.glob(".*"))
    assert len(tree(out)) == len(whole) - 1


def test_libraries_that_changed_are_named(
    folder: Path,
    whole: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = folder.parent / "whole"
    now = json.loads(whole["benchmark.json"])["versions"]
    with monkeypatch.context() as patch:
        older = {**now, "pillow": "1.1"}
        patch.setattr("sscd.data.benchmark.provenance.versions", lambda: older)
        assert main(arguments(folder, out)) == 0
        (out / "references" / "R000003.jpg").unlink()
        assert main(arguments(folder, out)) == 2
    error = capsys.readouterr().err
    assert f"pillow was {now['pillow']}, is now 1.1; give another directory" in error
    assert main(arguments(folder, out)) == 0
    assert tree(out) == whole


def test_a_table_is_known_by_what_is_in_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, table = folder.parent / "out", folder.parent / "my.yaml"
    shutil.copy(REPOSITORY / "configs" / "edits" / "phase1.yaml", table)
    monkeypatch.chdir(folder.parent)
    assert main(arguments(folder, out)) == 0
    for name in ("my.yaml", "./my.yaml", str(table)):
        capsys.readouterr()
        assert main(arguments(folder, out, "--dev_edits", name)) == 0
        assert "is complete already" in capsys.readouterr().out
    table.write_text(table.read_text().replace("minimum_contrast: 6", "minimum_contrast: 5"))
    assert main(arguments(folder, out, "--dev_edits", "my.yaml")) == 2
    error = capsys.readouterr().err
    assert "was made otherwise: table phase1 (my.yaml) changed since; give" in error


def test_a_table_can_be_switched_off_by_its_operations(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    assert main(arguments(folder, out, "--leave_out", "air_gap")) == 0
    assert "switches off all of table air_gap" in capsys.readouterr().out
    summary = json.loads((out / "benchmark.json").read_text())
    assert summary["made"]["test"]["tables"] == {"by_hand": 2, "phase2": 8}
    assert summary["request"]["air_gap"] == 0


def test_two_runs_at_once_are_one_too_many(
    folder: Path,
    whole: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = folder.parent / "out"
    statuses: list[int] = []
    original = copying._copy

    def copy(*given: Any, **settings: Any) -> bool:
        if not statuses:
            (out / "references" / ".R000000.jpg.x.part").touch()
            statuses.append(main(arguments(folder, out)))
            (out / "references" / ".R000000.jpg.x.part").unlink()
        return original(*given, **settings)

    monkeypatch.setattr(copying, "_copy", copy)
    assert main(arguments(folder, out)) == 0
    assert statuses == [2]
    error = f"sscd: error: another make-disc is writing {out}; wait for it"
    assert error in capsys.readouterr().err.splitlines()
    assert tree(out) == whole


def test_hidden_files_are_not_in_the_way(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / ".DS_Store").write_bytes(b"x")
    assert main(arguments(folder, out)) == 0
    assert tree(out) == {**whole, ".DS_Store": b"x"}


def _nth_call(
    original: Callable[..., Any], number: int, error: BaseException
) -> Callable[..., Any]:
    calls = 0

    def called(*arguments: Any, **settings: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise error
        return original(*arguments, **settings)

    return called


@pytest.mark.parametrize(
    ("module", "function", "number"),
    [(copying, "_copy", 5), (editing, "_edit", 1), (editing, "_edit", 13), (editing, "json", 0)],
)
def test_ctrl_c_and_the_same_command_give_the_same(
    module: Any,
    function: str,
    number: int,
    folder: Path,
    whole: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = folder.parent / "half"
    with monkeypatch.context() as patch:
        if number:
            broken = _nth_call(getattr(module, function), number, KeyboardInterrupt())
            patch.setattr(module, function, broken)
        else:  # at the very end, before the sheet
            sheet = "sscd.commands.make_disc.write_contact_sheet"
            patch.setattr(sheet, _nth_call(print, 1, KeyboardInterrupt()))
        assert main(arguments(folder, out)) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not (out / "benchmark.json").exists()
    assert main(arguments(folder, out, "--seed", "1")) == 2
    assert "was begun otherwise: --seed was 0, is now 1; give" in capsys.readouterr().err
    assert main(arguments(folder, out)) == 0
    assert tree(out) == whole


def test_a_full_disk_is_one_line_and_can_be_gone_on_from(
    folder: Path,
    whole: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = folder.parent / "full"
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        patch.setattr(editing, "write_copy", _nth_call(write_copy, 9, error))
        assert main(arguments(folder, out)) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "error:" in text]
    assert "No space left on device" in line
    assert main(arguments(folder, out)) == 0
    assert tree(out) == whole


def test_a_killed_run_goes_on_where_it_stopped(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "killed"
    command = [sys.executable, "-m", "sscd", *arguments(folder, out), "--workers", "2"]
    unfinished = 0
    for part in ("references", "dev_queries", "test_queries"):
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and len(list((out / part).glob("*.jpg"))) < 3:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        unfinished += not (out / "benchmark.json").exists()
    assert unfinished, "it was never killed in the middle"
    assert main(arguments(folder, out)) == 0
    assert tree(out) == whole
