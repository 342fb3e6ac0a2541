"""Rows that are kept: read back equal, made anew where anything differs, never half there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sscd.commands.systems.data import TableData
from sscd.commands.systems.measuring import MeasuredSystem, measure
from sscd.commands.systems.row_file import RowFile
from sscd.formats.evaluation_file import read_evaluations
from tests.commands.systems.thumbnails import open_disc, plan

BEGUN = "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TableData:
    return open_disc(tmp_path_factory.mktemp("row"))


@pytest.fixture(scope="module")
def measured(data: TableData) -> MeasuredSystem:
    return measure(plan(), data, None, samples=0, begun=BEGUN)


@pytest.fixture
def file(data: TableData, measured: MeasuredSystem, tmp_path: Path) -> RowFile:
    file = RowFile.of(tmp_path, plan(), data, samples=0, name="thumb")
    file.write(replace(measured, attacked={"none x": 0.25}, unreadable={"a.jpg": "torn"}), data)
    return file


def changed(file: RowFile, **values: Any) -> None:
    path = file.root / "rows" / "thumb.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **values}), encoding="utf-8")


def test_a_row_reads_back_as_an_earlier_one(file: RowFile, measured: MeasuredSystem) -> None:
    kept = file.read()
    assert kept is not None
    assert kept.row == replace(measured.row, earlier=True)
    assert kept.attacked == {"none x": 0.25}
    assert kept.unreadable == {"a.jpg": "torn"}
    (plain,) = read_evaluations(file.plain)
    (normalised,) = read_evaluations(file.normalised)
    assert plain.evaluation.figures == measured.plain.figures
    assert normalised.evaluation.figures == measured.normalised.figures
    assert (plain.system, normalised.system) == ("thumbnail", "thumbnail, normalised")
    assert plain.facts["hardware"] == "here"


def test_the_note_is_that_of_now(file: RowFile) -> None:
    now = replace(file, plan=replace(file.plan, note="said otherwise"))
    kept = now.read()
    assert kept is not None
    assert kept.row.note == "said otherwise"


def test_what_a_row_depends_on(file: RowFile, data: TableData) -> None:
    def read(**other: Any) -> Any:
        asked: dict[str, Any] = {"plan": plan(), "data": data, "samples": 0, **other}
        return RowFile.of(file.root, asked.pop("plan"), name="thumb", **asked).read()

    assert read() is not None
    assert read(samples=20) is None
    assert read(plan=plan(side=8)) is None
    assert read(plan=plan("another")) is None
    assert read(data=replace(data, digest="other")) is None


@pytest.mark.parametrize(
    "values",
    [
        {"row": None},
        {"row": {}},
        {"row": {"plain": 3, "normalised": {}}},
        {"attacked": None},
        {"attacked": {"a": "high"}},
        {"unreadable": ["a.jpg"]},
        {"identity": {}},
    ],
)
def test_a_damaged_file_is_no_row(file: RowFile, values: dict[str, Any]) -> None:
    changed(file, **values)
    assert file.read() is None


def test_a_torn_or_missing_file_is_no_row(file: RowFile) -> None:
    path = file.root / "rows" / "thumb.json"
    whole = path.read_bytes()
    for content in (whole[:-20], b"[]", b"[" * 100_000, b"\xff\xfe"):
        path.write_bytes(content)
        assert file.read() is None
    path.write_bytes(whole)
    assert file.read() is not None
    file.normalised.unlink()
    assert file.read() is None


def test_a_write_that_fails_leaves_no_row(
    file: RowFile, measured: MeasuredSystem, data: TableData
) -> None:
    file.normalised.unlink()
    file.normalised.mkdir()
    with pytest.raises(Exception, match="cannot write"):
        file.write(measured, data)
    assert file.read() is None
