"""The file: complete, of one piece, with the figures of the report, and small."""

import re
from pathlib import Path

import pytest
from PIL import Image

from sscd.errors import UserError
from sscd.evaluation.report import make_report
from sscd.report.page import build
from sscd.report.page.build import write_page
from tests.report.page.page_parts import pictures_of, systems_of, text_of
from tests.report.page.systems import draw_pictures, judged, named


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pictures(tmp_path_factory.mktemp("pictures"))


def test_the_page_holds_the_report_and_each_picture_once(pictures: Path, tmp_path: Path) -> None:
    one = judged(pictures=pictures)
    path = tmp_path / "made" / "report.html"
    facts = write_page(path, [one], samples=30)
    assert facts.size == path.stat().st_size
    assert not facts.warnings
    report = make_report(one, samples=30)
    (system,) = systems_of(path)
    assert {**report.as_json(), **system} == system
    assert len([one for one in pictures_of(path) if one]) == facts.pictures
    assert facts.pictures <= 100
    assert sorted(tmp_path.rglob("*")) == [path.parent, path]


def test_figures_stand_in_the_page_without_a_script(pictures: Path, tmp_path: Path) -> None:
    one = judged(pictures=pictures, noise=0.8)
    path = tmp_path / "report.html"
    write_page(path, [one], samples=30)
    text = text_of(path)
    report = make_report(one, samples=30)
    figures, interval = report.figures, report.micro_ap_interval
    assert interval is not None
    assert f"micro-AP{figures.micro_ap:.4f}" in text
    assert f"{interval.low:.4f} to {interval.high:.4f} (95 %), 10 neighbours a query" in text
    assert f"recall at P90{figures.recall_at_p90:.4f}" in text
    for cell in report.thresholds:
        reached = cell.threshold != float("inf")
        assert not reached or f"recall {cell.recall:.4f},{cell.wrong:,} wrong" in text
    assert report.edits is not None
    for group in report.edits.operations:
        assert f"{group.name}{group.copies}{group.micro_ap:.4f}" in text
    assert "best.ckpt" in text
    assert "<noscript>" in path.read_text()


def test_nothing_is_loaded_from_elsewhere(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, [judged(pictures=pictures)], samples=0)
    markup = path.read_text()
    assert not re.search(r"https?://", markup)
    assert not re.search(r"<(link|img|iframe|script)[^>]*\b(src|href)=(?!\"data:)", markup)
    assert not re.search(r"url\(|@import", markup)


def test_names_that_differ_in_case_alone_are_rows_of_their_own(tmp_path: Path) -> None:
    names = ("network", "Zeta", "NETWORK", "alpha")
    path = tmp_path / "report.html"
    write_page(path, [named(judged(), name) for name in names], samples=30)
    table = path.read_text().partition('<table class="differences">')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row"><bdi>(\w+)</bdi>', table) == ["Zeta", "NETWORK", "alpha"]
    assert [row.count("<td>") for row in table.split("<tr>")[2:]] == [2, 2, 2]


def test_several_systems_are_compared(tmp_path: Path) -> None:
    first, other = judged("first", noise=1.4), judged("second", noise=0.1)
    path = tmp_path / "report.html"
    write_page(path, [first, other, named(judged(references=20), "third")], samples=30)
    text = text_of(path)
    assert "lead holds" in text
    assert "not compared: other ground truths" in text
    assert [one["system"] for one in systems_of(path)] == ["first", "second", "third"]
    assert [one["group"] for one in systems_of(path)] == [0, 0, 2]
    assert "These runs were judged on different data; their figures do not compare." in text
    assert text.count("30 copies to be found, 60 queries, 40 references") == 2
    assert "30 copies to be found, 60 queries, 20 references" in text


def test_runs_on_the_same_data_are_not_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, [judged("first"), judged("second", noise=0.1)], samples=0)
    assert "different data" not in text_of(path)


def test_a_guess_is_marked_as_in_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, [judged()], samples=0)
    markup = path.read_text()
    assert '"> ?</span>' in markup
    assert "†" not in markup
    assert "?rests on fewer than 10 wrong pairs" in text_of(path)
    assert re.search(r"recall [\d.]+,</span> <span>\d+ wrong", markup)


def test_missing_pictures_are_counted_once(tmp_path: Path) -> None:
    facts = write_page(tmp_path / "a.html", [judged()], samples=0)
    (line,) = facts.warnings
    assert facts.pictures == 0
    assert line == (
        f"{facts.missing_pictures} of {facts.missing_pictures} pictures are not shown: it is not "
        "recorded where they lie; give --queries and --references"
    )
    draw_pictures(tmp_path)
    (tmp_path / "queries" / "Q0003.jpg").write_bytes(b"broken")
    (tmp_path / "queries" / "Q0004.jpg").unlink()
    facts = write_page(tmp_path / "b.html", [judged(pictures=tmp_path)], samples=0)
    assert facts.missing_pictures == 2
    assert facts.warnings[0].startswith(f"2 of {facts.pictures + 2} pictures are not shown: ")


def test_pictures_that_do_not_fit_are_counted(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "PICTURES", 2_000)
    monkeypatch.setattr(build, "_LEAST", 2_000)
    facts = write_page(tmp_path / "a.html", [judged(pictures=pictures)], samples=0)
    assert facts.left_out > 0
    assert len([one for one in pictures_of(tmp_path / "a.html") if one]) == facts.pictures
    assert "show fewer pairs" in facts.warnings[0]


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        write_page(tmp_path / "file" / "report.html", [judged()], samples=0)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file"]


def test_an_interruption_leaves_the_page_of_before(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")

    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "thumbnail", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_page(path, [judged(pictures=pictures)], samples=0)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
