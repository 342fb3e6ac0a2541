"""`sscd attack` as a user meets it."""

import json
from pathlib import Path

import pytest

from sscd.attacks.directory import read_attack
from sscd.cli import main
from sscd.commands import attack as command
from tests.commands.small import draw_sets, write_checkpoint

QUICK = ("--checkpoint", "a.ckpt", "--steps", "1", "--device", "cpu")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = draw_sets(tmp_path_factory.mktemp("attack"), references=2, copies=2, training=1)
    write_checkpoint(root / "a.ckpt")
    return root


@pytest.fixture(autouse=True)
def _there(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(prepared)


def said(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    assert main(["attack", *line]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_the_copies_of_a_ground_truth_are_attacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    line = ["attack", "queries", "--output", str(out), "--psnr", "35", *QUICK]
    assert main([*line, "--ground_truth", "truth.csv", "--name", "weak"]) == 0
    printed = capsys.readouterr().out
    assert "2 of 4 pictures have no reference, and are left out" in printed
    assert "2 pictures, PSNR 35.00 dB measured of the files (35.00 to 35.00)" in printed
    attack = read_attack(out)
    assert (attack.name, attack.pictures.ids) == ("weak", ["Q000", "Q001"])
    assert main([*line, "--ground_truth", "truth.csv", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == 0
    assert "--psnr was 35.0, is now 30.0" in said(
        capsys, "queries", "--output", str(out), "--psnr", "30", *QUICK
    )


def test_files_that_miss_the_psnr_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ("--format", "jpeg", "--quality", "20", "--psnr", "45", *QUICK)
    assert main(["attack", "queries", "--output", str(tmp_path / "out"), *line]) == 0
    warned = capsys.readouterr().err
    assert "dB, not 45: JPEG of that quality changes more than the attack may" in warned


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--psnr", "4"), "--psnr got 4.0; expected 5 to 60 dB"),
        (("--steps", "0"), "--steps got 0"),
        (("--lr", "0"), "--lr got 0.0"),
        (("--weight", "1"), "--weight got 1.0"),
        (("--quality", "0"), "--quality 0: give 1 to 100"),
        (("--batch_size", "0"), "--batch_size 0"),
        (("--checkpoint", "nowhere.ckpt"), "nowhere.ckpt"),
        (("--ground_truth", "nowhere.csv"), "cannot read ground truth nowhere.csv"),
        (("--ground_truth", "strangers.csv"), "none of the 1 queries with a reference"),
        (("--output", "queries"), "queries holds Q000.jpg (4 entries) and no attack"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("strangers.csv").write_text("query_id,reference_id\nX,R000\n")
    line = ("queries", *QUICK, "--output", str(tmp_path / "out"), *arguments)
    assert message in said(capsys, *line)
    assert not (tmp_path / "out").exists()


def test_ctrl_c_says_that_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "attack_set", interrupt)
    assert main(["attack", "queries", *QUICK, "--output", str(tmp_path / "out")]) == 130
    assert "the same command goes on where it stopped" in capsys.readouterr().err


def test_unreadable_pictures_are_warned_of_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.jpg").write_bytes(Path("queries/Q000.jpg").read_bytes())
    (pictures / "b.jpg").write_bytes(b"x")
    out = tmp_path / "out"
    assert main(["attack", str(pictures), *QUICK, "--output", str(out), "--format", "jpeg"]) == 0
    assert "1 picture could not be read" in capsys.readouterr().err
    assert "b.jpg" in Path(f"{out}.skipped.txt").read_text()
