"""`sscd report`: which runs it takes, what it prints, and what it refuses."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sscd.cli import main
from sscd.evaluation.report import make_report
from sscd.formats.evaluation_file import write_evaluations
from tests.report.page.page_parts import systems_of, text_of
from tests.report.page.systems import draw_pictures, judged, named, predicted


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two run directories whose systems have one name, and pictures."""
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path)
    for name, noise in (("one", 0.8), ("two", 1.2)):
        kept = judged("best.ckpt", noise=noise, pictures=tmp_path)
        write_evaluations(tmp_path / name / "evaluation.h5", [kept])
    return tmp_path


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(["report", *arguments, "--samples", "20"])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status, out, err = report(capsys, *arguments)
    (line,) = [line for line in err.splitlines() if "error" in line]
    assert (status, out) == (2, "")
    return line


def test_runs_and_files_on_one_page(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = report(capsys, "one", "two/evaluation.h5", "-o", "pages/new.html")
    assert status == 0, err
    assert "warning" not in err
    names = [one["system"] for one in systems_of(runs / "pages/new.html")]
    assert names == ["best.ckpt (one)", "best.ckpt (two)"]
    figures = make_report(judged(noise=0.8), samples=20).figures
    assert f"best.ckpt (one): micro-AP {figures.micro_ap:.4f}" in out
    assert "pages/new.html: 60 queries, " in out
    assert "verdict" in out
    assert "falls behind" in out
    assert sorted(path.name for path in (runs / "pages").iterdir()) == ["new.html"]


def test_the_page_is_report_html_where_nothing_is_said(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(capsys, "one")[0] == 0
    assert [one["system"] for one in systems_of(runs / "report.html")] == ["best.ckpt"]


def test_json_is_the_reports(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = report(capsys, "one", "two", "--names", "a", "b", "--json")
    printed: dict[str, Any] = json.loads(out)
    assert status == 0
    assert not (runs / "report.html").exists()
    expected = make_report(named(judged(noise=0.8), "a"), samples=20).as_json()
    assert printed["reports"][0] == expected
    assert [one["figure"] for one in printed["differences"]] == ["micro_ap", "recall_at_p90"]
    assert {one["system"] for one in printed["differences"]} == {"b"}
    printed = json.loads(report(capsys, "one", "--json", "-o", "x.html")[1])
    assert printed["page"] == "x.html"
    assert (runs / "x.html").exists()


def test_the_protocol_is_one_that_all_have(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = judged("both", noise=0.8)
    other = replace(one, evaluation=replace(one.evaluation, kind="global"))
    write_evaluations(runs / "both.h5", [one, other])
    write_evaluations(runs / "global.h5", [named(other, "global only")])
    assert report(capsys, "both.h5", "global.h5")[0] == 0
    assert "'neighbours'" not in refused(capsys, "both.h5", "global.h5", "--protocol", "neighbours")
    lonely = predicted([("Q0000", "R0000", 1.0)], [("Q0000", "R0000")])
    write_evaluations(runs / "predictions.h5", [lonely])
    line = refused(capsys, "global.h5", "predictions.h5")
    assert "share no protocol (global.h5: global; predictions.h5: predictions)" in line


def test_pictures_and_edits_of_elsewhere(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = judged("lost", pictures=runs / "gone")
    write_evaluations(runs / "lost.h5", [replace(lost, edits=None)])
    status, _, err = report(capsys, "lost.h5")
    assert status == 0
    assert err.count("pictures are not shown") == 1
    lines = [{"query_id": f"Q{n:04d}", "edits": [{"name": "moved"}]} for n in range(60)]
    (runs / "edits.jsonl").write_text("\n".join(map(json.dumps, lines)))
    sources = ("--queries", "queries", "--references", "references", "--edits", "edits.jsonl")
    status, _, err = report(capsys, "lost.h5", *sources)
    assert status == 0
    assert "not shown" not in err
    (system,) = systems_of(runs / "report.html")
    assert {tuple(one["edits"]) for one in system["examples"]} == {("moved",)}
    assert len(system["edits"]["operations"]) == 1


def test_runs_on_different_data_are_warned_of(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evaluations(runs / "other.h5", [named(judged(queries=58), "other")])
    status, out, err = report(capsys, "one", "other.h5")
    assert status == 0
    warned = "these runs were judged on different data; their figures do not compare"
    assert f"warning: {warned}" in err
    assert "29 copies among 58 queries" in out
    text = text_of(runs / "report.html")
    assert f"{warned.capitalize()}." in text


def test_settings_of_a_training_stand_on_the_page(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"model": {"network": {"backbone": "resnet18"}, "optimizer": {"lr": 0.001}}}
    (runs / "one/config.yaml").write_text(json.dumps(settings))
    (runs / "two/config.yaml").write_text("a: [")
    status, _, err = report(capsys, "one", "two")
    assert status == 0
    assert "two/config.yaml is not readable YAML" in err
    text = text_of(runs / "report.html")
    assert "model.network.backboneresnet18" in text
    assert "model.optimizer.lr0.001" in text
    assert "seed_everything" not in text


def test_fewer_pairs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "one", "--pairs", "7")[0] == 0
    assert len(systems_of(runs / "report.html")[0]["examples"]) == 7


def test_an_evaluation_without_a_pair_is_refused(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = judged()
    none = one.evaluation.candidates
    empty = replace(
        none,
        query=none.query[:0],
        reference=none.reference[:0],
        scores=none.scores[:0],
        correct=none.correct[:0],
    )
    figures = replace(
        one.evaluation.figures,
        micro_ap=0.0,
        macro_ap=0.0,
        recall_at_p90=0.0,
        threshold_at_p90=math.inf,
        recall_at_1=0.0,
        recall_at_10=0.0,
    )
    nothing = replace(one.evaluation, candidates=empty, figures=figures)
    write_evaluations(runs / "empty.h5", [replace(one, evaluation=nothing)])
    assert "empty.h5: its list 'neighbours' is empty" in refused(capsys, "empty.h5")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere: no such file or directory; give a run directory, or an eval"),
        (("one", "--protocol", "global"), "--protocol global: one/evaluation.h5 was not judged by"),
        (("empty",), "sscd evaluate empty/track2.h5 --ground_truth TRUTH.csv --output empty/"),
        (("text.h5",), "text.h5: holds no evaluation; `sscd evaluate FILE"),
        (("one", "--pairs", "0"), "--pairs 0: give at least 1"),
        (("one", "one"), "given twice"),
        (("one", "two", "--names", "a"), "--names gives 1 for 2 runs"),
        (("one", "two", "--names", "a", "a"), "--names repeats"),
        (("one", "-o", "empty"), "empty is a directory; give a file"),
        (("one", "-o", "text.h5/x.html"), "cannot write"),
        (("one", "--edits", "none.jsonl"), "none.jsonl"),
    ],
)
def test_what_cannot_be_is_one_line(
    runs: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    (runs / "empty").mkdir()
    (runs / "text.h5").write_text("no HDF5")
    assert said in refused(capsys, *arguments)
    assert not (runs / "report.html").exists()
    assert not list(runs.rglob("*.part"))


def test_an_input_is_not_replaced_by_the_page(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (runs / "one/evaluation.h5").read_bytes()
    assert "is an input" in refused(capsys, "one", "-o", "one/../one/evaluation.h5")
    assert (runs / "one/evaluation.h5").read_bytes() == before


def test_pictures_behind_a_url_are_fetched_only_where_it_is_given(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = replace(judged(), query_pictures="memory://queries", reference_pictures=str(runs))
    write_evaluations(runs / "away.h5", [away])
    status, _, err = report(capsys, "away.h5")
    assert status == 0
    assert "memory://queries is a URL and is opened only where --queries" in err
    status, _, err = report(capsys, "away.h5", "--queries", "memory://queries")
    assert "is a URL" not in err
