"""`sscd table`: its rows, what it keeps of them, and what it refuses."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sscd.cli import main
from sscd.formats.evaluation_file import read_evaluations
from tests.commands.small import HOW, MULTIGRAIN, draw_disc, write_checkpoint

QUICK = ("--workers", "0", "--samples", "0")
NETWORK = ("--checkpoint", "a.ckpt", "--rows", "checkpoints")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    draw_disc(root / "disc")
    write_checkpoint(root / "a.ckpt")
    return root


@pytest.fixture
def disc(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(drawn, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "disc"


def table(
    capsys: pytest.CaptureFixture[str], *arguments: str, quick: Sequence[str] = QUICK
) -> dict[str, Any]:
    capsys.readouterr()
    status = main(["table", "disc", "--output", "out", *quick, *arguments, "--json", "--quiet"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    printed: dict[str, Any] = json.loads(captured.out)
    return printed


def refused(
    capsys: pytest.CaptureFixture[str], *arguments: str, disc: str = "disc", output: str = "out"
) -> str:
    capsys.readouterr()
    status = main(["table", disc, "--output", output, *QUICK, *arguments])
    captured = capsys.readouterr()
    assert status == 2
    lines = captured.err.strip().splitlines()
    assert lines[-1].startswith("sscd: error: ")
    return lines[-1]


@pytest.mark.slow
def test_rows_equal_what_export_and_evaluate_say(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = table(capsys, *NETWORK)
    assert [row["system"] for row in printed["rows"]] == ["a", "a, whitened"]
    assert (printed["queries"], printed["references"], printed["copies"]) == (8, 12, 4)
    assert printed["protocol"] == "the globally best 500,000 pairs"
    sets = ("--queries", "disc/dev_queries", "--references", "disc/references")
    export = ("export", "--checkpoint", "a.ckpt", *sets, "--output", "t.h5", "--workers", "0")
    judge = ("evaluate", "t.h5", "--ground-truth", "disc/dev_queries_groundtruth.csv")
    learnt = ("--training", "disc/train")
    for row, steps in zip(printed["rows"], (("none",), ("whiten",)), strict=True):
        for kind, norm in (("plain", ()), ("normalised", ("--score-norm", "1.0[0,2]"))):
            projection = ("--projection", *steps, *norm)
            # Score normalisation takes a dimension of track 2's, and none of the table's.
            if norm and steps == ("whiten",):
                projection = (*projection, "--dims", "17")
            main([*export, *projection, *(learnt if norm or steps != ("none",) else ())])
            capsys.readouterr()
            assert main([*judge, "--samples", "0", "--protocol", "global", "--json"]) == 0
            told = json.loads(capsys.readouterr().out)["protocols"][0]
            assert row[kind]["micro_ap"] == pytest.approx(told["micro_ap"], abs=1e-9)
            assert row[kind]["recall_at_p90"] == pytest.approx(told["recall_at_p90"])


def test_an_earlier_row_is_taken_and_said(disc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = table(capsys, *NETWORK)
    stamp = Path("out/a.h5").stat().st_mtime_ns
    again = table(capsys, *NETWORK)
    assert Path("out/a.h5").stat().st_mtime_ns == stamp
    assert [row["earlier"] for row in first["rows"] + again["rows"]] == [False, False, True, True]
    assert first["rows"][0]["milliseconds"] == again["rows"][0]["milliseconds"] > 0
    assert "† measured by an earlier call" in Path("out/table.md").read_text(encoding="utf-8")
    assert "†" in Path("out/table.md").read_text(encoding="utf-8")
    Path("out/rows/a.json").write_text("{torn", encoding="utf-8")
    third = table(capsys, *NETWORK)
    # Its descriptors are there yet, and so is the time that they took.
    assert third["rows"][0]["milliseconds"] == first["rows"][0]["milliseconds"]
    assert third["rows"][0]["earlier"]
    assert third["rows"][0]["plain"] == first["rows"][0]["plain"]


@pytest.mark.slow
def test_other_pictures_or_another_network_make_rows_anew(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = table(capsys, *NETWORK)
    Image.new("RGB", (48, 48), (9, 200, 30)).save(disc / "references" / "R000.png")
    second = table(capsys, *NETWORK)
    assert not second["rows"][0]["earlier"]
    assert second["rows"][0]["plain"] != first["rows"][0]["plain"]
    write_checkpoint(Path("a.ckpt"), seed=7)
    third = table(capsys, *NETWORK)
    assert third["rows"][0]["fingerprint"] != second["rows"][0]["fingerprint"]
    assert not third["rows"][0]["earlier"]
    fewer = table(capsys, *NETWORK, "--training", "18")
    assert (fewer["training"], fewer["rows"][0]["earlier"]) == (18, False)


def test_files_for_reports_pictures_and_intervals(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = table(capsys, *NETWORK, quick=("--workers", "0", "--samples", "20"))
    for row, file in zip(printed["rows"], printed["evaluations"], strict=True):
        (judged,) = read_evaluations(Path(file))
        (normalised,) = read_evaluations(Path("out/normalised") / Path(file).name)
        assert judged.system == row["system"]
        assert judged.evaluation.figures.micro_ap == row["plain"]["micro_ap"]
        assert normalised.evaluation.figures.micro_ap == row["normalised"]["micro_ap"]
        assert row["plain"]["low"] <= row["plain"]["micro_ap"] <= row["plain"]["high"]
        assert judged.query_pictures == str(disc / "dev_queries")
    told = json.loads(Path("out/table.json").read_text(encoding="utf-8"))
    assert told["rows"] == printed["rows"]
    with Image.open("out/table.png") as picture:
        assert picture.width > 1000
    assert main(["report", *printed["evaluations"], "--samples", "0", "--output", "r.html"]) == 0


def test_systems_without_training_and_what_is_left_out(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(Path("mg.ckpt"), config=MULTIGRAIN)
    wanted = ("--rows", "gist", "hashes", "multigrain", "--multigrain", "mg.ckpt")
    printed = table(capsys, *wanted)
    names = [row["system"] for row in printed["rows"]]
    assert names[:2] == ["GIST 960", "Multigrain"]
    assert "pHash" in names
    assert printed["rows"][1]["dims"] == 23  # one less than training pictures
    assert [line.partition(":")[0] for line in printed["left_out"]] == ["GIST, PCA 256"]
    assert "needs as many training pictures, got 24" in printed["left_out"][0]
    everything = table(capsys)
    left_out = {line.partition(":")[0] for line in everything["left_out"]}
    assert {"Multigrain", "HOW + ASMK", "trained networks"} <= left_out


@pytest.mark.slow
@pytest.mark.slow
def test_a_row_that_the_data_set_is_too_small_for_is_left_out(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(Path("how.ckpt"), config=HOW)
    wanted = ("--rows", "gist", "how", "--how", "how.ckpt")
    printed = table(capsys, *wanted)  # 65,536 words
    assert [row["system"] for row in printed["rows"]] == ["GIST 960"]
    assert "too few for 65,536 visual words; give --words" in printed["left_out"][-1]
    assert "the table has no row: HOW + ASMK: " in refused(
        capsys, "--rows", "how", "--how", "how.ckpt"
    )


def test_an_attack_adds_a_table_and_leaves_rows_as_they_are(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table(capsys, *NETWORK)["rows"]
    for psnr in ("25", "40"):
        make = ("attack", "disc/dev_queries", "--checkpoint", "a.ckpt", "--steps", "3")
        assert main([*make, "--psnr", psnr, "--output", f"attacked{psnr}"]) == 0
    printed = table(capsys, *NETWORK, "--attack", "attacked25", "attacked40")
    assert [row["plain"] for row in printed["rows"]] == [row["plain"] for row in rows]
    none, strong, weak = printed["attacks"]["rows"]
    assert (none["model"], none["psnr"], none["white_box"]) == ("none", None, [])
    assert (strong["model"], strong["psnr"]) == ("a", 25)
    assert strong["white_box"] == ["a", "a, whitened"]
    assert strong["measured_psnr"] == pytest.approx(25, abs=0.1)
    assert (printed["attacks"]["queries"], printed["attacks"]["matched"]) == (4, 4)
    # A list of the copies alone, in which no distractor is wrong, is never worse.
    assert none["micro_ap"]["a"] >= rows[0]["plain"]["micro_ap"]
    assert strong["micro_ap"]["a"] < none["micro_ap"]["a"]
    assert weak["micro_ap"]["a"] >= strong["micro_ap"]["a"]
    assert Path("out/attacks.png").is_file()
    assert "a, 25 dB" in Path("out/table.md").read_text(encoding="utf-8")
    one = table(capsys, *NETWORK, "--attack", "attacked40")
    assert one["attacks"]["rows"][1]["micro_ap"] == weak["micro_ap"]


def test_pictures_that_cannot_be_read_are_said_by_every_call(
    disc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = ("dev_queries/Q001.jpg", "references/R002.png", "train/T003.png")
    for name in broken:
        (disc / name).write_bytes(b"no picture")
    rows = ("--rows", "gist", "checkpoints", "--checkpoint", "a.ckpt")
    for _ in range(2):
        printed = table(capsys, *rows)
        assert printed["unreadable"] == 3
        listed = Path("out/table.skipped.txt").read_text(encoding="utf-8").splitlines()
        assert len(listed) == 3
        assert all(any(name in line for line in listed) for name in broken)
        assert "3 pictures could not be read" in Path("out/table.md").read_text(encoding="utf-8")
        assert main(["table", "disc", "--output", "out", *QUICK, *rows]) == 0
        assert "3 pictures could not be read: disc/" in capsys.readouterr().err


def test_other_ranks_are_refused(
    disc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "without torchrun or srun" in refused(capsys, *NETWORK)
    assert not Path("out").exists()


def test_what_it_refuses(disc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "given twice" in refused(capsys, "--checkpoint", "a.ckpt", "./a.ckpt")
    Path("b.ckpt").write_bytes(Path("a.ckpt").read_bytes())
    assert "the same network as a.ckpt" in refused(capsys, "--checkpoint", "a.ckpt", "b.ckpt")
    named = ("--checkpoint", "a.ckpt", "b.ckpt", "--names", "x", "x")
    assert "two checkpoints are called x" in refused(capsys, *named)
    assert "give one a checkpoint" in refused(capsys, *NETWORK, "--names", "x", "y")
    assert "--rows multigrain needs a network" in refused(capsys, "--rows", "multigrain")
    lacking = refused(capsys, "--rows", "gist", "--checkpoint", "a.ckpt")
    assert "--rows lacks checkpoints" in lacking
    assert "linear head" in refused(capsys, "--multigrain", "a.ckpt")
    assert "pools by gem" in refused(capsys, "--how", "a.ckpt")
    assert "attack.json" in refused(capsys, *NETWORK, "--attack", "disc")
    assert "is given twice" in refused(capsys, *NETWORK, "--attack", "disc", "./disc")
    assert "at least 20" in refused(capsys, *NETWORK, "--samples", "3")
    assert "is a file" in refused(capsys, *NETWORK, output="a.ckpt")
    assert "no directory" in refused(capsys, *NETWORK, disc="nowhere")
    assert "--training 0" in refused(capsys, *NETWORK, "--training", "0")
    assert "needs 10 at least" in refused(capsys, *NETWORK, "--training", "9")
    (disc / "train").rename(disc / "elsewhere")
    assert "no pictures in train/" in refused(capsys, *NETWORK)
    truth = disc / "dev_queries_groundtruth.csv"
    truth.write_text("query_id,reference_id\nQ000,\n", encoding="utf-8")
    assert "holds no (query, reference) pair" in refused(capsys, *NETWORK)
    assert not Path("out/table.md").exists()
