"""`sscd dedup`: groups of copies in one folder."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sscd.cli import main
from sscd.data.procedural import draw_picture
from tests.commands.small import write_checkpoint

COMMAND = ("dedup", "photos", "--checkpoint", "a.ckpt", "--workers", "0")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five pictures, of which two lie there again, one of them twice; and a broken file."""
    root = tmp_path / "photos"
    (root / "Ferien, 2024").mkdir(parents=True)
    for index in range(5):
        draw_picture(seed=3, index=index, size=48).save(root / f"{index}.png")
    draw_picture(seed=3, index=1, size=48).save(root / "Ferien, 2024" / "one.png")
    draw_picture(seed=3, index=1, size=48).save(root / "Ferien, 2024" / "<b>.png")
    draw_picture(seed=3, index=4, size=48).save(root / "four again.png")
    (root / "broken.jpg").write_bytes(b"x")
    write_checkpoint(tmp_path / "a.ckpt")
    monkeypatch.chdir(tmp_path)
    return root


def groups() -> list[list[dict[str, Any]]]:
    content = json.loads(Path("duplicates.json").read_text())
    assert [group["group"] for group in content] == list(range(1, len(content) + 1))
    return [group["members"] for group in content]


def test_exact_copies_are_grouped(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--threshold", "-0.00001", "--json", "--sheet", "sheet.jpg"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert (printed["groups"], printed["pictures_in_groups"], printed["pictures"]) == (2, 5, 8)
    assert (printed["largest"], printed["matches"]) == (3, 4)
    paths = [sorted(member["path"] for member in group) for group in groups()]
    assert paths == [
        sorted(str(photos / name) for name in names)
        for names in (
            ("1.png", "Ferien, 2024/one.png", "Ferien, 2024/<b>.png"),
            ("4.png", "four again.png"),
        )
    ]
    for group in groups():
        ids = {member["id"] for member in group}
        for member in group:
            assert member["nearest_id"] in ids - {member["id"]}
            assert member["score"] == pytest.approx(0, abs=1e-5)
    with Path("duplicates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    flat = [member for group in groups() for member in group]
    assert [row["path"] for row in rows] == [member["path"] for member in flat]
    assert "broken.jpg" in Path("duplicates.csv.skipped.txt").read_text()
    assert "1 picture could not be read" in captured.err
    with Image.open("sheet.jpg") as sheet:
        assert sheet.width > 800


def test_a_low_threshold_joins_everything(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--threshold", "-9"]) == 0
    (group,) = groups()
    assert len(group) == 8
    assert "1 group with 8 of 8 pictures" in capsys.readouterr().out


def test_no_copies(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for copy in (photos / "four again.png", *photos.glob("Ferien*/*.png")):
        copy.unlink()
    assert main([*COMMAND, "--threshold", "0", "--sheet", "sheet.jpg"]) == 0
    assert groups() == []
    assert Path("duplicates.csv").read_text() == "group,id,path,nearest_id,score\n"
    assert not Path("sheet.jpg").exists()


def test_descriptors_have_no_paths(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = ("describe", "photos", "parts", "--checkpoint", "a.ckpt", "--workers", "0")
    assert main(described) == 0
    assert main(["dedup", "parts", "--threshold", "-0.00001"]) == 0
    assert [len(group) for group in groups()] == [3, 2]
    assert {member["path"] for group in groups() for member in group} == {""}
    assert main(["dedup", "parts", "--threshold", "0", "--sheet", "s.jpg"]) == 2
    assert "no pictures to show" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ((), "no threshold"),
        (("--threshold", "0.75"), "squared distances, at most 0; the cosine 0.75 is -0.5"),
        (("--threshold", "0", "--output", "a.ckpt/x.csv"), "cannot write a.ckpt/x.csv: "),
        (("--threshold", "0", "--output", "a.ckpt/x.csv"), "give --output a file in a directory"),
        (("--threshold", "0", "--shown", "0"), "--shown 0"),
        (("--copies", "0"), "--copies 0"),
        (("--threshold", "0", "--output", "a.json"), "ends in .csv"),
        (("--threshold", "0", "--sheet", "a.png"), "ends in .jpg"),
        (("--threshold", "x"), "threshold"),
    ],
)
def test_refuses_in_one_line(
    photos: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], expected: str
) -> None:
    assert main([*COMMAND, *more]) == 2
    captured = capsys.readouterr()
    assert expected in captured.err.strip().splitlines()[-1]
    assert not Path("duplicates.csv").exists()


def test_normalised_scores_need_queries(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe = ("export", "--checkpoint", "a.ckpt", "--workers", "0", "--dims", "6")
    export = (*describe, "--queries", "photos", "--references", "photos", "--training", "photos")
    assert main([*export, "--score-norm", "1[0]", "--output", "t.h5"]) == 0
    assert main([*COMMAND, "--threshold", "-1", "--postprocessing", "t.h5"]) == 2
    assert "there are no queries here" in capsys.readouterr().err
    assert main([*export, "--output", "w.h5"]) == 0
    assert main([*COMMAND, "--threshold", "-0.00001", "--postprocessing", "w.h5"]) == 0
    assert [len(group) for group in groups()] == [3, 2]


@pytest.mark.parametrize("more", [(), ("--threshold", "-0.1")])
def test_a_network_is_asked_for_first(
    photos: Path, no_box: None, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    assert main(["dedup", "photos", *more]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "no model in the box; give --checkpoint" in line
