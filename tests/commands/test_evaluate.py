"""`sscd evaluate`: what it takes, what it prints, and what it refuses to compare."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sscd.cli import main
from sscd.evaluation.calibration import read_calibration
from sscd.evaluation.report import make_report
from sscd.formats.evaluation_file import read_evaluations
from sscd.formats.track2.hdf5_file import read_track2
from tests.commands.small import draw_sets, write_checkpoint

DESCRIBE = ("--checkpoint", "a.ckpt", "--workers", "0")
SOURCE = (*DESCRIBE, "--queries", "queries", "--references", "references")


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_sets(tmp_path)
    write_checkpoint(tmp_path / "a.ckpt")
    monkeypatch.chdir(tmp_path)
    assert main(["export", *SOURCE, "--output", "t.h5"]) == 0
    return tmp_path


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    status = main(["evaluate", *arguments, "--ground-truth", "truth.csv", "--json"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    printed: dict[str, Any] = json.loads(captured.out)
    return printed


def micro_aps(printed: dict[str, Any]) -> list[float]:
    return [protocol["micro_ap"] for protocol in printed["protocols"]]


def test_both_protocols_with_intervals(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = evaluate(capsys, "t.h5")
    names = [protocol["protocol"] for protocol in printed["protocols"]]
    assert names == ["10 neighbours a query", "the globally best 500,000 pairs"]
    for protocol in printed["protocols"]:
        assert (protocol["queries"], protocol["references"], protocol["true_pairs"]) == (8, 12, 4)
        interval = protocol["micro_ap_interval"]
        assert interval["low"] <= protocol["micro_ap"] <= interval["high"]
    assert micro_aps(printed)[0] == pytest.approx(_plain(sets))
    assert len(printed["thresholds"]) == 12
    assert printed["origin"]["preprocessing"] == "32 square"
    one = evaluate(capsys, "t.h5", "--protocol", "global", "--samples", "0")
    assert micro_aps(one) == micro_aps(printed)[1:]
    assert one["protocols"][0]["micro_ap_interval"] is None


def _plain(sets: Path) -> float:
    """Micro-AP of all pairs among the 10 nearest of each query, by the definition."""
    track2 = read_track2(sets / "t.h5")
    pairs = []
    for name, vector in zip(track2.query_ids, track2.queries.astype(np.float64), strict=True):
        scores = -np.square(track2.references - vector).sum(axis=1)
        for row in np.argsort(-scores)[:10]:
            right = name < "Q004" and track2.reference_ids[row] == f"R{name[1:]}"
            pairs.append((-scores[row], right))
    found, total = 0, 0.0
    for place, (_, right) in enumerate(sorted(pairs), start=1):
        found += right
        total += right * found / place
    return total / 4


def test_every_form_of_the_same_descriptors_gives_the_same_figures(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = micro_aps(evaluate(capsys, "t.h5"))
    track2 = read_track2(sets / "t.h5")
    parts = {"q.h5": (track2.queries, [f"{name}.jpg" for name in track2.query_ids])}
    half = track2.references[:5], list(track2.reference_ids[:5])
    parts |= {"r1.h5": half, "r2.h5": (track2.references[5:], list(track2.reference_ids[5:]))}
    for name, (vectors, ids) in parts.items():
        with h5py.File(sets / name, "w") as file:
            file["vectors"] = vectors
            file["image_names"] = np.array(ids, dtype="S16")
    older = evaluate(capsys, "q.h5", "--references", "r1.h5", "r2.h5")
    assert micro_aps(older) == pytest.approx(expected)
    for name in ("queries", "references"):
        described = ("describe", name, f"{name}.parts", "--checkpoint", "a.ckpt")
        assert main([*described, "--partition", "5", "--workers", "0"]) == 0
    parquet = evaluate(capsys, "queries.parts", "--references", "references.parts")
    assert micro_aps(parquet) == pytest.approx(expected)


def test_predictions_of_several_files(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text("query_id,reference_id,score\nQ000,R000,0.9\nQ005,R002,0.8\n")
    Path("b.csv").write_text("Q001.jpg,R001.png,0.7\nQ900,R003,0.95\n")
    printed = evaluate(capsys, "a.csv", "b.csv", "--samples", "0")
    (protocol,) = printed["protocols"]
    assert protocol["micro_ap"] == pytest.approx((1 + 2 / 3) / 4)
    assert protocol["unlisted_queries"] == 1
    assert protocol["references"] is None


def test_figures_by_edit(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"query_id": f"Q{i:03d}", "edits": [{"name": "jpeg"}] + [{"name": "blur"}] * (i % 2)}
        for i in range(8)
    ]
    Path("edits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    printed = evaluate(capsys, "t.h5", "--edits", "edits.jsonl")
    groups = {group["name"]: group["copies"] for group in printed["edits"]["operations"]}
    assert groups == {"jpeg": 4, "blur": 2}
    whole = next(g for g in printed["edits"]["operations"] if g["name"] == "jpeg")
    assert whole["micro_ap"] == pytest.approx(micro_aps(printed)[0])
    assert main(["evaluate", "t.h5", "--ground-truth", "truth.csv", "--edits", "edits.jsonl"]) == 0
    table = capsys.readouterr().out
    assert "blur" in table
    assert "2 operations" in table


def test_tables_say_protocol_and_doubt(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "t.h5", "--ground-truth", "truth.csv"]) == 0
    out = capsys.readouterr().out
    for expected in ("4 copies, 8 queries, 12 references", "10 neighbours a query", "1,000x", "?"):
        assert expected in out


def test_post_processing_is_that_of_the_export(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = ("--projection", "whiten", "--dims", "9", "--score-norm", "1[0,2]")
    assert main(["describe", "training", "learnt", *DESCRIBE]) == 0
    assert main(["export", *SOURCE, "--output", "n.h5", "--training", "learnt", *chain]) == 0
    exported = evaluate(capsys, "n.h5")
    tried = evaluate(capsys, "t.h5", "--training", "learnt", *chain)
    assert micro_aps(tried) == pytest.approx(micro_aps(exported))
    assert tried["origin"] == exported["origin"]


def test_the_calibration_answers_as_the_table(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = evaluate(capsys, "t.h5", "--calibration", "new/calibration.json")
    calibration = read_calibration(Path("new/calibration.json"))
    assert [cell.as_json() for cell in calibration.table()] == printed["thresholds"]
    assert calibration.references == 12


def test_the_evaluation_is_kept_for_reports(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = ("--query-pictures", "queries", "--reference-pictures", "s3://known/pictures")
    printed = evaluate(capsys, "t.h5", "--output", "new/e.h5", "--name", "mine", *pictures)
    kept = read_evaluations(Path("new/e.h5"))
    assert [make_report(one).as_json()["figures"] for one in kept] == [
        {key: value for key, value in protocol.items() if key != "micro_ap_interval"}
        for protocol in printed["protocols"]
    ]
    assert {one.system for one in kept} == {"mine"}
    assert kept[0].query_pictures == str(sets / "queries")
    assert kept[0].reference_pictures == "s3://known/pictures"
    assert kept[0].data == sets.name
    assert main(["evaluate", "t.h5", "--ground-truth", "truth.csv", "--output", "t2.h5"]) == 0
    assert "sscd report t2.h5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("none.h5",), "none.h5"),
        (("t.h5", "--name", "x"), "add --output"),
        (("truth.csv", "--projection", "pca"), "post-processing needs descriptors"),
        (("truth.csv", "--calibration", "c.json"), "--calibration needs descriptors"),
        (("t.h5", "--projection", "pca"), "give --training"),
        (("t.h5", "--score-norm", "x"), "--score_norm x"),
        (("t.h5", "--samples", "-1"), "--samples -1"),
        (("t.h5", "--samples", "1"), "--samples 1"),
        (("t.h5", "--training", "t.h5"), "add one"),
        (("truth.csv", "--references", "t.h5"), "--references is for descriptors"),
        (("t.h5", "--edits", "truth.csv"), "truth.csv, line 1"),
        (("a.ckpt",), "neither descriptors"),
    ],
)
def test_refuses_in_one_line(
    sets: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    capsys.readouterr()
    assert main(["evaluate", *arguments, "--ground-truth", "truth.csv"]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.strip().splitlines()
    assert expected in line
    assert captured.out == ""


def test_two_models_are_never_compared_in_silence(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(sets / "b.ckpt", seed=1)
    for checkpoint, name in (("a", "queries"), ("b", "references")):
        described = ("describe", name, f"{name}.parts", "--checkpoint", f"{checkpoint}.ckpt")
        assert main([*described, "--workers", "0"]) == 0
    files = ("queries.parts", "--references", "references.parts")
    assert main(["evaluate", *files, "--ground-truth", "truth.csv"]) == 2
    assert "differ in model" in capsys.readouterr().err
    with h5py.File("older.h5", "w") as file:
        track2 = read_track2(sets / "t.h5")
        file["vectors"] = track2.references
        file["image_names"] = np.array(list(track2.reference_ids), dtype="S16")
    files = ("queries.parts", "--references", "older.h5")
    assert main(["evaluate", *files, "--ground-truth", "truth.csv"]) == 0
    assert "do not say which model" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("output", ["--output", "--calibration"])
def test_an_input_is_not_replaced(
    sets: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    before = (sets / "truth.csv").read_bytes()
    arguments = ("t.h5", "--ground-truth", "truth.csv", output, "./truth.csv")
    assert main(["evaluate", *arguments]) == 2
    assert "truth.csv is an input, and would be replaced" in capsys.readouterr().err
    assert (sets / "truth.csv").read_bytes() == before
