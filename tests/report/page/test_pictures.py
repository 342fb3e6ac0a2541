"""Which pictures a page needs, each once, and where they lie."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sscd.errors import UserError
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


@pytest.mark.parametrize("source", ["a\0b", "half \ud800"])
def test_a_path_that_python_refuses_is_a_reason(source: str) -> None:
    assert isinstance(Sources([(source, "x")])[0], str)


def test_what_nobody_has_asked_for_is_not_fetched_from_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []

    def open_pictures(source: str, *, name: str) -> None:
        opened.append(source)
        raise UserError(f"{name} is not there")

    monkeypatch.setattr("sscd.report.page.pictures.open_pictures", open_pictures)
    wanted = [("https://a.example/x", "q"), ("s3://mine/x", "q")]
    sources = Sources(wanted, trusted={"s3://mine/x"})
    assert opened == ["s3://mine/x"]
    assert str(sources[0]).startswith("https://a.example/x is a URL and is opened only where")
    Sources(wanted)
    assert sorted(opened[1:]) == ["https://a.example/x", "s3://mine/x"]


def test_a_pipe_that_an_evaluation_names_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reason = Sources([(str(pipe), "x")], trusted=set())[0]
    assert str(reason).startswith(f"{pipe} is neither a file nor a directory")


def test_an_override_of_the_pictures_is_followed(tmp_path: Path) -> None:
    draw_pictures(tmp_path, queries=60, references=40)
    moved = replace(judged(), query_pictures=str(tmp_path / "queries"))
    wanted = wanted_pictures(make_contents([moved], samples=0))
    sources = Sources(list(wanted))
    assert sources[wanted[moved.query_pictures, "Q0000"]] == tmp_path / "queries/Q0000.jpg"
    assert sources[wanted["", "R0000"]] == NOWHERE
