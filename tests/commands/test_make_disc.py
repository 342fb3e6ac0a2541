"""`sscd make-disc`: whole benchmarks of small pictures."""

import csv
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

import numpy as np
import pytest
from PIL import Image, ImageOps

from sscd.cli import main
from sscd.data.benchmark import copying, editing
from sscd.data.disc21 import is_disc21, read_disc21
from sscd.data.edited_copies import write_copy
from sscd.data.sources import open_collection
from tests.conftest import REPOSITORY

COUNTS = (
    *("--references", "16", "--queries", "7", "--distractors", "3", "--training", "9"),
    *("--extras", "3", "--air_gap", "0.2", "--max_side", "120"),
)


def _picture(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((96, 72), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "sub dir").mkdir(parents=True)
    for number in range(40):
        below, kind = (root, "jpg") if number % 3 else (root / "sub dir", "png")
        _picture(number).save(below / f"{number}.{kind}")
    ImageOps.mirror(_picture(1)).save(root / "mirrored.png")
    _picture(2).resize((150, 112)).save(root / "larger.jpg")
    (root / "broken.jpg").write_bytes(b"x")
    (root / "notes.txt").write_text("x")
    return root


def _arguments(folder: Path, out: Path, *more: str) -> list[str]:
    cache = str(folder.parent / "cache")
    return ["make-disc", str(folder), str(out), *COUNTS, "--workers", "1", "--cache", cache, *more]


def _tree(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.fixture
def whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    """The benchmark of an undisturbed run."""
    out = folder.parent / "whole"
    assert main(_arguments(folder, out)) == 0, capsys.readouterr().err
    return _tree(out)


def test_the_layout_is_that_of_disc21(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "whole"
    assert is_disc21(out)
    assert len(whole) == 16 + 9 + 20 + 2 + 4 + 4
    for split, ids in (("dev", range(10)), ("test", range(10, 20))):
        collection = read_disc21(out, queries=split)  # type: ignore[arg-type]
        assert collection.queries.ids == [f"Q{number:05d}" for number in ids]
        assert collection.references.ids == [f"R{number:06d}" for number in range(16)]
        assert len(collection.training) == 9
        assert collection.truth.listed == frozenset(collection.queries.ids)
        assert len(collection.truth.pairs) == 7
        assert collection.left_out == ()
    assert len(open_collection(out, cache=folder.parent / "c").training) == 9
    assert not list(out.glob(".*"))


def test_what_is_written_says_what_was_done(folder: Path, whole: dict[str, bytes]) -> None:
    summary = json.loads(whole["benchmark.json"])
    assert summary["left_out"]["near-copies and mirror images"] == 2
    reason = {"path": "broken.jpg", "reason": "not a picture of a known format"}
    assert summary["left_out"]["unreadable"] == [reason]
    assert summary["left_out"]["no pictures"] == {".txt": 1}
    # 43 pictures, less 1 broken, 2 near-copies, and 16 + 6 + 3 + 9 used.
    assert summary["left_out"]["not needed"] == 6
    assert summary["request"]["references"] == 16
    assert summary["made"]["dev"]["tables"] == {"by_hand": 2, "phase1": 8}
    assert summary["made"]["test"]["tables"] == {"air_gap": 2, "by_hand": 2, "phase2": 6}
    sources = dict(line.split(",") for line in whole["sources.csv"].decode().splitlines()[1:])
    assert len(sources) == len(set(sources.values())) == 25
    records = [json.loads(line) for line in whole["edits.jsonl"].splitlines()]
    for record in records:
        if record["reference_id"]:
            assert sources[record["reference_id"]] == record["source_id"]
        else:
            assert record["source_id"] not in sources.values()
    assert len({record["source_id"] for record in records}) == 20
    for written, source in sources.items():
        part = "train" if written.startswith("T") else "references"
        as_it_is = source.endswith(".jpg") and source != "larger.jpg"
        same = whole[f"{part}/{written}.jpg"] == (folder / source).read_bytes()
        assert same == as_it_is


def test_the_number_of_processes_changes_no_byte(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "two"
    assert main([*_arguments(folder, out), "--workers", "2"]) == 0
    assert _tree(out) == whole


def test_a_finished_benchmark_is_left_alone(
    folder: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "whole"
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    capsys.readouterr()
    assert main(_arguments(folder, out)) == 0
    assert "is complete already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times
    assert main(_arguments(folder, out, "--seed", "1")) == 2
    assert f"{out} was made otherwise: --seed was 0, is now 1; give" in capsys.readouterr().err
    (folder / "1.jpg").unlink()
    assert main(_arguments(folder, out)) == 2
    assert f"otherwise: the pictures of {folder} changed since; give" in capsys.readouterr().err
    assert _tree(out) == whole


LOSSES = {
    "a reference": ["references/R000003.jpg"],
    "a query": ["dev_queries/Q00004.jpg"],
    "directories": ["train", "test_queries"],
    "records": ["edits.jsonl"],
    "lists": ["list_files", "sources.csv", "dev_queries_groundtruth.csv", "references/R000000.jpg"],
    "the sheet": ["contact_sheet.jpg"],
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
    assert main(_arguments(folder, out)) == 0
    printed = capsys.readouterr().out
    assert f"{out} lost " in printed
    assert "they are made again" in printed
    assert _tree(out) == whole
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert main(_arguments(folder, out)) == 0
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
            assert main(_arguments(folder, out)) == 130
    assert len(list((out / "dev_queries").iterdir())) == 4
    assert main(_arguments(folder, out)) == 0
    assert _tree(out) == whole


def test_other_pictures_of_the_same_size_do_not_mend(
    folder: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "whole"
    (out / "references" / "R000003.jpg").unlink()
    source = folder / whole["sources.csv"].decode().splitlines()[5].split(",")[1]
    source.write_bytes(b"x" * source.stat().st_size)
    assert main(_arguments(folder, out)) == 2
    error = capsys.readouterr().err
    assert f"cannot be mended: the pictures of {folder} changed since; give" in error
    assert not list(out.glob(".*"))
    assert len(_tree(out)) == len(whole) - 1


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
        assert main(_arguments(folder, out)) == 0
        (out / "references" / "R000003.jpg").unlink()
        assert main(_arguments(folder, out)) == 2
    error = capsys.readouterr().err
    assert f"pillow was {now['pillow']}, is now 1.1; give another directory" in error
    assert main(_arguments(folder, out)) == 0
    assert _tree(out) == whole


def test_a_table_is_known_by_what_is_in_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, table = folder.parent / "out", folder.parent / "my.yaml"
    shutil.copy(REPOSITORY / "configs" / "edits" / "phase1.yaml", table)
    monkeypatch.chdir(folder.parent)
    assert main(_arguments(folder, out)) == 0
    for name in ("my.yaml", "./my.yaml", str(table)):
        capsys.readouterr()
        assert main(_arguments(folder, out, "--dev_edits", name)) == 0
        assert "is complete already" in capsys.readouterr().out
    table.write_text(table.read_text().replace("minimum_contrast: 6", "minimum_contrast: 5"))
    assert main(_arguments(folder, out, "--dev_edits", "my.yaml")) == 2
    error = capsys.readouterr().err
    assert "was made otherwise: table phase1 (my.yaml) changed since; give" in error


def test_a_table_can_be_switched_off_by_its_operations(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    assert main(_arguments(folder, out, "--leave_out", "air_gap")) == 0
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

    def copy(*arguments: Any, **settings: Any) -> bool:
        if not statuses:
            (out / "references" / ".R000000.jpg.x.part").touch()
            statuses.append(main(_arguments(folder, out)))
            (out / "references" / ".R000000.jpg.x.part").unlink()
        return original(*arguments, **settings)

    monkeypatch.setattr(copying, "_copy", copy)
    assert main(_arguments(folder, out)) == 0
    assert statuses == [2]
    error = f"sscd: error: another make-disc is writing {out}; wait for it"
    assert error in capsys.readouterr().err.splitlines()
    assert _tree(out) == whole


def test_hidden_files_are_not_in_the_way(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / ".DS_Store").write_bytes(b"x")
    assert main(_arguments(folder, out)) == 0
    assert _tree(out) == {**whole, ".DS_Store": b"x"}


def test_another_seed_is_another_benchmark(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "other"
    assert main(_arguments(folder, out, "--seed", "1", "--leave_out", "blur,crop")) == 0
    other = _tree(out)
    assert other.keys() == whole.keys()
    assert other["sources.csv"] != whole["sources.csv"]
    assert b'"name": "crop"' in whole["edits.jsonl"]
    assert b'"name": "crop"' not in other["edits.jsonl"]


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
        assert main(_arguments(folder, out)) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not (out / "benchmark.json").exists()
    assert main(_arguments(folder, out, "--seed", "1")) == 2
    assert "was begun otherwise: --seed was 0, is now 1; give" in capsys.readouterr().err
    assert main(_arguments(folder, out)) == 0
    assert _tree(out) == whole


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
        assert main(_arguments(folder, out)) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "error:" in text]
    assert "No space left on device" in line
    assert main(_arguments(folder, out)) == 0
    assert _tree(out) == whole


def test_a_killed_run_goes_on_where_it_stopped(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "killed"
    command = [sys.executable, "-m", "sscd", *_arguments(folder, out), "--workers", "2"]
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
    assert main(_arguments(folder, out)) == 0
    assert _tree(out) == whole


def test_too_few_pictures_leave_the_directory_free(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    assert main(_arguments(folder, out, "--training", "30")) == 2
    error = capsys.readouterr().err
    assert "55 pictures are needed" in error
    assert "--training 15 would fit" in error
    assert main(_arguments(folder, out, "--training", "15")) == 0


def test_other_things_in_the_way_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / "thesis.tex").touch()
    assert main(_arguments(folder, out)) == 2
    assert "holds thesis.tex" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


@pytest.mark.slow
def test_real_photographs_make_a_benchmark_of_distinct_pictures(
    photos: Path, tmp_path: Path
) -> None:
    counts = ("--references", "60", "--queries", "30", "--distractors", "30", "--training", "50")
    command = ["make-disc", str(photos), str(tmp_path / "out"), *counts]
    assert main([*command, "--workers", "1", "--cache", str(tmp_path / "cache")]) == 0
    summary = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    # Caltech-101's leopards were mirrored to double their number.
    assert summary["left_out"]["near-copies and mirror images"] >= 150
    for split in ("dev", "test"):
        assert 0.6 < summary["made"][split]["mean_surviving_area"] <= 1
    with Image.open(tmp_path / "out" / "contact_sheet.jpg") as sheet:
        assert sheet.height > 1000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_any_file_name_is_carried_through(folder: Path) -> None:
    for number, name in enumerate((b"caf\xe9.jpg", b'a,"b".jpg', b"line\nbreak.jpg", b"-x %.png")):
        _picture(100 + number).save(os.fsdecode(os.fsencode(folder) + b"/" + name))
    out = folder.parent / "out"
    assert main(_arguments(folder, out, "--training", "19")) == 0
    with (out / "sources.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        sources = [row["source"] for row in csv.DictReader(file)]
    lines = (out / "edits.jsonl").read_text().splitlines()
    used = {*sources, *(json.loads(line)["source_id"] for line in lines)}
    assert len(used) == 41
    assert all((folder / source).is_file() for source in used)
    assert len({os.fsdecode(b"caf\xe9.jpg"), "line\nbreak.jpg", 'a,"b".jpg', "-x %.png"} & used) > 1
