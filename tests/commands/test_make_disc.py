"""`sscd make-disc`: whole benchmarks of small pictures."""

import csv
import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from sscd.cli import main
from sscd.data.completeness import check_disc21
from sscd.data.disc21 import is_disc21, read_disc21
from sscd.data.sources import open_collection
from tests.commands.benchmarks import arguments, picture, tree


def test_the_layout_is_that_of_disc21(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "whole"
    assert is_disc21(out)
    assert len(whole) == 16 + 9 + 20 + 2 + 4 + 5
    assert all(part.problems == () for part in check_disc21(out, decode=None, workers=1))
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
    assert main([*arguments(folder, out), "--workers", "2"]) == 0
    assert tree(out) == whole


def test_another_seed_is_another_benchmark(folder: Path, whole: dict[str, bytes]) -> None:
    out = folder.parent / "other"
    assert main(arguments(folder, out, "--seed", "1", "--leave_out", "blur,crop")) == 0
    other = tree(out)
    assert other.keys() == whole.keys()
    assert other["sources.csv"] != whole["sources.csv"]
    assert b'"name": "crop"' in whole["edits.jsonl"]
    assert b'"name": "crop"' not in other["edits.jsonl"]


def test_too_few_pictures_leave_the_directory_free(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    assert main(arguments(folder, out, "--training", "30")) == 2
    error = capsys.readouterr().err
    assert "55 pictures are needed" in error
    assert "--training 15 would fit" in error
    assert main(arguments(folder, out, "--training", "15")) == 0


def test_other_things_in_the_way_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / "thesis.tex").touch()
    assert main(arguments(folder, out)) == 2
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
        picture(100 + number).save(os.fsdecode(os.fsencode(folder) + b"/" + name))
    out = folder.parent / "out"
    assert main(arguments(folder, out, "--training", "19")) == 0
    with (out / "sources.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        sources = [row["source"] for row in csv.DictReader(file)]
    lines = (out / "edits.jsonl").read_text().splitlines()
    used = {*sources, *(json.loads(line)["source_id"] for line in lines)}
    assert len(used) == 41
    assert all((folder / source).is_file() for source in used)
    assert len({os.fsdecode(b"caf\xe9.jpg"), "line\nbreak.jpg", 'a,"b".jpg', "-x %.png"} & used) > 1
