"""`sscd check` on files and directories, as a user runs it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.cli import main
from sscd.formats.track2.hdf5_file import Track2, write_track2

ROWS = np.ones((2, 4), np.float32)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_track2(Path("t.h5"), Track2(["Q0", "Q1"], ROWS, ["R0", "R1"], ROWS))


def test_a_whole_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("queries").write_text("Q0.jpg\nQ1.jpg\n")
    assert main(["check", "t.h5", "--query_list", "queries"]) == 0
    out = capsys.readouterr().out
    assert "t.h5: query: 2 rows of 4 dimensions" in out
    assert "t.h5 is whole" in out
    Path("p.csv").write_text("Q0,R1,0.5\n")
    assert main(["check", "p.csv"]) == 0
    assert "p.csv is whole" in capsys.readouterr().out


def test_problems_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("references").write_text("R0\nR2\n")
    assert main(["check", "t.h5", "--reference_list", "references"]) == 2
    out, err = capsys.readouterr()
    assert "  t.h5: reference_ids lacks 1 of the 2 in references: R2" in out
    assert "t.h5 is not whole: 2 problems are listed above" in err
    Path("p.csv").write_text("Q0,R1,0.5\nQ0,R1,0.5\nQ1\n")
    assert main(["check", "p.csv"]) == 2
    out, err = capsys.readouterr()
    assert "p.csv, line 3: got 1 fields" in out
    assert "p.csv, line 2: pair Q0,R1 is there already" in out
    assert err.count("\n") == 1


def test_a_truncated_file(capsys: pytest.CaptureFixture[str]) -> None:
    content = Path("t.h5").read_bytes()
    Path("t.h5").write_bytes(content[:-50])
    assert main(["check", "t.h5"]) == 2
    out, err = capsys.readouterr()
    assert f"truncated: {len(content) - 50:,} of {len(content):,} bytes" in out
    assert "1 problem is listed" in err


def test_json_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "t.h5", "--json", "true"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["path"], whole["kind"], whole["problems"]) == ("t.h5", "track2", [])
    Path("p.csv").write_text("Q0,:smile:,nan\n")
    assert main(["check", "p.csv", "--json", "true"]) == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["count"] == 1
    assert found["problems"][0].startswith("p.csv, line 1: score 'nan'")
    assert "p.csv is not whole" in err


def test_json_of_a_directory(capsys: pytest.CaptureFixture[str]) -> None:
    for folder, name in (("references", "R0"), ("dev_queries", "Q0")):
        (Path("set") / folder).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(Path("set") / folder / f"{name}.jpg")
    Path("set/dev_queries_groundtruth.csv").write_text("Q0,R0\n")
    assert main(["check", "set", "--workers", "0", "--json", "true"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert len(found["problems"]) == 3
    parts = {part["name"]: part for part in found["parts"]}
    assert parts["references"]["problems"] == []
    assert "train: the directory set/train is missing" in found["problems"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere is no directory"),
        (["t.h5", "--decode", "3"], "--decode 3: t.h5 holds no pictures"),
        (["t.h5", "--query_list", "absent"], "cannot read list file absent"),
        ([".", "--query_list", "t.h5"], ". is no file to hold against them"),
        (["t.h5", "--workers", "-1"], "give numbers from 0 on"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    assert words in capsys.readouterr().err
