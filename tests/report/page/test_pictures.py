"""Which pictures a page needs, each once, and where they lie."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sscd.report.contents import make_contents
from sscd.report.page.pictures import NOWHERE, Sources, numbers_of, wanted_pictures
from tests.report.page.systems import draw_pictures, judged


def test_a_picture_is_wanted_once(tmp_path: Path) -> None:
    one = judged(pictures=tmp_path)
    contents = make_contents([one, judged("other", noise=1.4, pictures=tmp_path)], samples=0)
    wanted = wanted_pictures(contents)
    assert list(wanted.values()) == list(range(len(wanted)))
    assert len([source for source, _ in wanted if source.endswith("queries")]) == 60
    for shown in contents.systems:
        numbers = numbers_of(shown, wanted)
        for place, example in enumerate(shown.examples):
            assert wanted[one.query_pictures, example.query] == numbers["query"][place]
            if example.expected is None:
                assert numbers["expected"][place] is None
            else:
                key = (one.reference_pictures, example.expected)
                assert wanted[key] == numbers["expected"][place]


def test_files_are_found_by_id_and_by_id_with_extension(tmp_path: Path) -> None:
    draw_pictures(tmp_path, queries=3, references=1)
    folder = str(tmp_path / "queries")
    sources = Sources([(folder, "Q0001"), (folder, "Q0002.jpg"), (folder, "Q0009")])
    assert sources[0:2] == [tmp_path / "queries/Q0001.jpg", tmp_path / "queries/Q0002.jpg"]
    assert sources[2] == f"no picture of this id in {folder}"
    assert len(sources) == 3


def test_an_id_that_is_there_goes_before_one_that_is_like_it(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    Image.new("RGB", (8, 8)).save(tmp_path / "b.jpg")
    sources = Sources([(str(tmp_path), "a.jpg"), (str(tmp_path), "b"), (str(tmp_path), "b.jpg")])
    assert sources[0] == tmp_path / "a.jpg"
    assert sources[1] == tmp_path / "b.jpg"


@pytest.mark.parametrize("source", ["", "nowhere/at/all", "empty"])
def test_a_source_that_cannot_be_opened_is_a_reason(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    reason = Sources([(source, "x")])[0]
    assert isinstance(reason, str)
    assert reason == NOWHERE if not source else source in reason


def test_an_override_of_the_pictures_is_followed(tmp_path: Path) -> None:
    draw_pictures(tmp_path, queries=60, references=40)
    moved = replace(judged(), query_pictures=str(tmp_path / "queries"))
    wanted = wanted_pictures(make_contents([moved], samples=0))
    sources = Sources(list(wanted))
    assert sources[wanted[moved.query_pictures, "Q0000"]] == tmp_path / "queries/Q0000.jpg"
    assert sources[wanted["", "R0000"]] == NOWHERE
