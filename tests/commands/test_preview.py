"""`sscd preview` and `sscd check`, as a user runs them."""

import json
from pathlib import Path

import pytest
from PIL import Image

from sscd.cli import main
from tests.commands.small import draw_sets

SMALL = [
    *("--data.procedural.training", "4", "--data.procedural.references", "2"),
    *("--data.procedural.copies", "1", "--data.procedural.distractors", "1"),
    *("--data.procedural.size", "64", "--data.workers", "0"),
]
EDITS = ["--data.recipe.name", "edits"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_preview_shows_views_and_their_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--pictures", "3", "--tile", "60", "--data.views", "4", "--output", "sheet.png"]
    assert main(["preview", "--config", "quickstart", *SMALL, *options]) == 0
    assert "3 pictures with their views" in capsys.readouterr().out
    with Image.open("sheet.png") as sheet:
        assert sheet.width == 5 * 68 + 8
        before = sheet.tobytes()
    plans = json.loads((tmp_path / "sheet.json").read_text())
    assert [len(views) for views in plans.values()] == [4, 4, 4]
    assert {*next(iter(plans.values()))[0]} == {
        "geometry",
        "photometric",
    }
    assert main(["preview", *SMALL, *options, "--epoch", "1"]) == 0
    with Image.open("sheet.png") as sheet:
        assert sheet.tobytes() != before


def test_a_preview_of_edits_names_them(tmp_path: Path) -> None:
    edits = [*EDITS, "--data.recipe.edits.chain", "{2: 1.0}"]
    options = ["--pictures", "2", "--tile", "60", "--output", "sheet.png"]
    assert main(["preview", *SMALL, *options, *edits]) == 0
    plans = json.loads((tmp_path / "sheet.json").read_text())
    drawn = [plan for views in plans.values() for plan in views]
    assert [len(plan["operations"]) for plan in drawn] == [2] * 4
    assert {plan["crop"] for plan in drawn} <= {"first", "last"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "nowhere"], "config nowhere is neither"),
        (["--data.imagesize", "3"], "data.imagesize"),
        (["--data.recipe.name", "hard"], "data.recipe.name"),
        ([*EDITS, "--data.recipe.edits.table", "mine"], "table of edits mine is neither"),
        ([*EDITS, "--data.recipe.edits.leave_out", "[sepia]"], "no operation 'sepia'"),
        ([*EDITS, "--data.recipe.edits.chain", "{1: 0.5}"], "probabilities add up to 0.5"),
        (["--data.batch_size", "1"], "batch_size got 1"),
        (["--data.root", "/nowhere"], "/nowhere"),
        (["--output", "a.jpg"], "--output a.jpg: give a file that ends in .png"),
        ([*SMALL, "--pictures", "0"], "--pictures 0: give at least 1"),
        ([*SMALL, "--epochs", "0"], "--epochs 0: give at least 1"),
        (["--data.gentle.views", "2"], "gentle.views got 2 of 2 views"),
        (["--data.progression", "[[0, 9]]"], "progression ends with 9 px, image_size is 48"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert error.count("\n") == 0
    assert not Path("preview.png").exists()


def test_check_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, name in (("references", "R0"), ("dev_queries", "Q0")):
        (tmp_path / "set" / folder).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "set" / folder / f"{name}.jpg")
    (tmp_path / "set" / "dev_queries_groundtruth.csv").write_text("Q0,R0\n")
    assert main(["check", "set", "--workers", "0"]) == 2
    out, err = capsys.readouterr()
    assert "references: 1 pictures, 1 decoded, whole" in out
    assert "train: missing" in out
    assert "set is not whole: 3 problems" in err


def test_check_wants_a_directory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nowhere"]) == 2
    assert "nowhere is no directory" in capsys.readouterr().err


def test_the_seed_is_that_of_the_training(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("seed_everything: 7\ndata:\n  seed: 3\n  image_size: 32\n")
    options = [*SMALL, "--pictures", "2"]
    for output, arguments in (
        ("c.yaml.png", ["--config", "c.yaml"]),
        ("b.png", ["--config", "c.yaml", "--seed_everything", "8"]),
        ("e.png", ["--config=c.yaml", "--seed_everything=7"]),
    ):
        assert main(["preview", *arguments, *options, "--output", output]) == 0
    first, second, third = (
        (tmp_path / f"{name}.json").read_text() for name in ("c.yaml", "b", "e")
    )
    assert first == third != second


KINDS = [
    *("--data.image_size", "32", "--data.progression", "[[0, 16], [0.5, 32]]"),
    *("--data.gentle.views", "1", "--data.local.views", "2", "--data.unedited", "negatives"),
]


def test_all_kinds_of_views_are_shown_as_in_that_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text("trainer:\n  max_epochs: 4\n")
    shown = []
    for epoch, more in (("0", []), ("2", []), ("0", ["--epochs", "1"])):
        line = ["preview", "--config", "c.yaml", *SMALL, *KINDS, "--pictures", "2"]
        assert main([*line, "--epoch", epoch, *more, "--tile", "40"]) == 0
        plans = json.loads(Path("preview.json").read_text())
        for gentle, _, *local, unedited in plans.values():
            assert len(local) == 2
            assert gentle == unedited
        shown.append(Path("preview.png").read_bytes())
    assert shown[0] != shown[1]
    assert shown[0] == shown[2]  # epoch 0 is of 16 px, however many there are
    capsys.readouterr()
    assert main(["preview", *SMALL, *KINDS, "--epochs", "null"]) == 2
    assert "say with --epochs how long it is" in capsys.readouterr().err


def test_the_sheet_says_that_views_are_mixed(tmp_path: Path) -> None:
    for probability in ("0", "0.5"):
        mixup = ["--data.mixup.probability", probability, "--output", f"{probability}.png"]
        assert main(["preview", *SMALL, *mixup]) == 0
    assert (tmp_path / "0.png").read_bytes() != (tmp_path / "0.5.png").read_bytes()


def test_options_before_the_configuration_win(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("data:\n  views: 2\n")
    line = ["preview", "--data.views", "3", "--config", "c.yaml", *SMALL, "--pictures", "1"]
    assert main(line) == 0
    (plans,) = json.loads((tmp_path / "preview.json").read_text()).values()
    assert len(plans) == 3


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_sets(tmp_path / "photos", references=1, copies=1, training=30) / "training"
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("aside")
    line = ["preview", "--data.root", str(folder), "--data.workers", "0", "--pictures", "1"]
    assert main(line) == 0
    error = capsys.readouterr().err
    listed = tmp_path / "preview.png.skipped.txt"
    assert "left out: 2 pictures could not be read: " in error
    assert f"all in {listed.name}" in error
    assert {Path(row.split("\t")[0]).name for row in listed.read_text().splitlines()} == {
        "broken.jpg",
        "empty.jpg",
    }
