"""`sscd baseline`: files of GIST, Multigrain and HOW, and options of the wrong one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sscd.cli import main
from sscd.formats.run_record import read_record
from sscd.formats.track1.csv_file import read_track1
from sscd.formats.track2.hdf5_file import read_track2
from tests.commands.small import HOW, MULTIGRAIN, draw_sets, write_checkpoint

SETS = ("--queries", "queries", "--references", "references", "--workers", "0")
TRAINING = ("--training", "training")
TRUTH = ("--ground-truth", "truth.csv", "--samples", "0")


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_sets(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def baseline(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    status = main(["baseline", *arguments, "--json", "--quiet"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    printed: dict[str, Any] = json.loads(captured.out)
    return printed


def micro_ap(capsys: pytest.CaptureFixture[str], *arguments: str) -> float:
    capsys.readouterr()
    assert main(["evaluate", *arguments, *TRUTH, "--json"]) == 0
    return float(json.loads(capsys.readouterr().out)["protocols"][-1]["micro_ap"])


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["baseline", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_gist_without_training(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sets / "queries" / "broken.jpg").write_bytes(b"no picture")
    status = main(["baseline", "gist", *SETS, "--dims", "960", "--output", "g.csv", "--json"])
    captured = capsys.readouterr()
    assert status == 0
    assert "1 picture could not be read" in captured.err
    printed = json.loads(captured.out)
    assert (printed["queries"], printed["references"], printed["unreadable"]) == (8, 12, 1)
    assert printed["pairs"] == 96
    assert len(read_track1(Path("g.csv"))) == 96
    assert 0.3 < micro_ap(capsys, "g.csv") <= 1


@pytest.mark.parametrize("normalise", [(), ("--normalise",)])
def test_multigrain_writes_the_same_order_in_both_forms(
    sets: Path, capsys: pytest.CaptureFixture[str], normalise: tuple[str, ...]
) -> None:
    write_checkpoint(Path("mg.ckpt"), config=MULTIGRAIN)
    network = ("multigrain", *SETS, *TRAINING, "--checkpoint", "mg.ckpt", *normalise)
    width = 20 + len(normalise)  # normalisation takes a coordinate of track 2's
    pairs = baseline(capsys, *network, "--dims", "20", "--output", "m.csv")
    written = baseline(capsys, *network, "--dims", str(width), "--output", "m.h5")
    assert (pairs["dims"], written["dims"], pairs["normalised"]) == (20, width, bool(normalise))
    track2 = read_track2(Path("m.h5"))
    scores = -np.square(track2.queries[:, None] - track2.references[None]).sum(axis=2)
    order = [
        (track2.query_ids[place // 12], track2.reference_ids[place % 12])
        for place in np.argsort(-scores, axis=None, kind="stable").tolist()
    ]
    found = read_track1(Path("m.csv"))
    named = zip(found.query_ids.tolist(), found.reference_ids.tolist(), strict=True)
    assert [(q.decode(), r.decode()) for q, r in named] == order
    assert read_record(Path("m.h5")).model.backbone == "Multigrain"
    assert not Path("m.h5.parts").exists()


def test_normalisation_alone_needs_ten_training_pictures(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(Path("mg.ckpt"), config=MULTIGRAIN)
    for picture in sorted((sets / "training").iterdir())[9:]:
        picture.unlink()
    network = ("multigrain", *SETS, *TRAINING, "--checkpoint", "mg.ckpt", "--output", "m.csv")
    assert "needs 10 at least" in refused(capsys, *network, "--normalise")
    assert baseline(capsys, *network)["dims"] == 8  # one less than training pictures


def test_how_keeps_an_index(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faiss")
    write_checkpoint(Path("how.ckpt"), config=HOW)
    network = ("how", "--checkpoint", "how.ckpt", "--queries", "queries", "--workers", "0")
    learnt = ("--references", "references", *TRAINING, "--words", "16", "--features", "20")
    first = baseline(capsys, *network, *learnt, "--index", "i.h5", "--output", "a.csv")
    assert (first["dims"], first["references"]) == (None, 12)
    again = baseline(capsys, *network, "--index", "i.h5", "--output", "b.csv")
    assert again["references"] == 12
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    baseline(capsys, *network, "--index", "i.h5", "--normalise", "--output", "c.csv")
    assert Path("a.csv").read_bytes() != Path("c.csv").read_bytes()
    line = refused(capsys, *network, *learnt, "--index", "i.h5", "--output", "d.csv")
    assert "--references: the index i.h5 is there" in line
    assert "no global descriptors" in refused(capsys, *network, *learnt, "--output", "d.h5")


def test_what_lies_beside_the_output_stays(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = sets / "g.csv.parts" / "mine.txt"
    own.parent.mkdir()
    own.write_text("kept", encoding="utf-8")
    baseline(capsys, "gist", *SETS, "--dims", "960", "--output", "g.csv")
    assert own.is_file()


def test_what_it_refuses(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gist = ("gist", *SETS, "--output", "g.csv")
    write_checkpoint(Path("a.ckpt"))
    assert "--words is for how, not for gist" in refused(capsys, *gist, "--words", "9")
    assert "is for multigrain and how" in refused(capsys, *gist, "--checkpoint", "a.ckpt")
    assert "--dims is for gist and multigrain" in refused(
        capsys, "how", *SETS, "--checkpoint", "a.ckpt", "--output", "g.csv", "--dims", "9"
    )
    assert "--training is missing" in refused(capsys, *gist)
    assert "--training is missing" in refused(capsys, *gist, "--dims", "960", "--normalise")
    assert "GIST has 960, or 256" in refused(capsys, *gist, *TRAINING, "--dims", "100")
    assert "needs as many" in refused(capsys, *gist, *TRAINING)
    track2 = ("gist", *SETS, *TRAINING, "--output", "g.h5")
    assert "track 2 takes at most 256" in refused(capsys, *track2, "--dims", "960")
    assert "ends in .h5" in refused(capsys, "gist", *SETS, *TRAINING, "--output", "g.txt")
    multigrain = ("multigrain", *SETS, *TRAINING, "--output", "m.csv")
    assert "give --checkpoint" in refused(capsys, *multigrain)
    assert "linear head" in refused(capsys, *multigrain, "--checkpoint", "a.ckpt")
    assert "--references is missing" in refused(
        capsys, "gist", "--queries", "queries", "--output", "g.csv", "--dims", "960"
    )
    assert "one of gist, multigrain, how" in refused(capsys, "gits", *SETS, "--output", "g.csv")
    assert "is an input" in refused(
        capsys, *multigrain[:-1], "m.ckpt.csv", "--checkpoint", "m.ckpt.csv"
    )
    write_checkpoint(Path("how.ckpt"), config=HOW)
    how = ("how", *SETS, *TRAINING, "--checkpoint", "how.ckpt", "--output", "h.csv")
    assert "--index queries is no file" in refused(capsys, *how, "--index", "queries")
    assert not list(sets.glob("*.csv.skipped.txt"))
