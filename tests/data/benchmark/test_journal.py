"""The state of a benchmark's directory."""

import json
from pathlib import Path

import pytest

from sscd.data.benchmark.journal import MARKER, Journal
from sscd.errors import UserError

REQUEST = {"seed": 0, "leave_out": ("a", "b"), "versions": {"x": "1"}}


def _begun(out: Path) -> Journal:
    journal = Journal(out)
    journal.check(REQUEST)
    journal.begin(REQUEST)
    return journal


def test_from_new_to_finished(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    journal = _begun(out)
    assert not journal.is_finished(REQUEST)
    journal.check(REQUEST)
    journal.finish({"request": REQUEST})
    assert [path.name for path in out.iterdir()] == [MARKER]
    assert journal.is_finished(REQUEST)
    (out / ".partial").mkdir()  # killed between the marker and its removal
    assert journal.is_finished(REQUEST)
    assert not (out / ".partial").exists()


def test_another_request_is_refused(tmp_path: Path) -> None:
    journal = _begun(tmp_path)
    with pytest.raises(UserError, match="beginning of a benchmark with seed 0, not 1"):
        journal.check({**REQUEST, "seed": 1})
    journal.finish({"request": REQUEST})
    with pytest.raises(UserError, match=r"holds a benchmark with leave_out \['a', 'b'\], not \[\]"):
        journal.is_finished({**REQUEST, "leave_out": ()})


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"request": 3}'])
def test_a_foreign_or_broken_marker_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MARKER).write_text(content)
    with pytest.raises(UserError) as caught:
        Journal(tmp_path).is_finished(REQUEST)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_anything_else_in_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"holds notes\.txt \(1 entries\) and no benchmark"):
        Journal(tmp_path).check(REQUEST)
    with pytest.raises(UserError, match=r"notes\.txt is a file"):
        Journal(tmp_path / "notes.txt").check(REQUEST)


def test_a_directory_that_was_only_just_made_is_new(tmp_path: Path) -> None:
    (tmp_path / ".partial").mkdir()
    assert _begun(tmp_path).records(["Q0"]) == {}


def test_records_survive_a_line_that_was_cut_off(tmp_path: Path) -> None:
    journal = _begun(tmp_path)
    lines = {f"Q{n}": json.dumps({"query_id": f"Q{n}", "size": [n, n]}) for n in range(4)}
    with journal.recording() as record:
        for line in lines.values():
            record(line)
    path = tmp_path / ".partial" / "edits.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    kept = {query_id: lines[query_id] for query_id in ("Q0", "Q2")}
    assert journal.records(["Q0", "Q2", "Q3", "Q9"]) == kept
    with journal.recording() as record:  # a new line must not be glued to half of one
        record(lines["Q3"])
    assert journal.records(lines) == {**kept, "Q3": lines["Q3"]}


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    journal = _begun(tmp_path)
    (tmp_path / ".partial" / "edits.jsonl").symlink_to("/dev/full")
    with (
        pytest.raises(UserError, match=r"cannot write .*No space left.*run again"),
        journal.recording() as record,
    ):
        record("{}")


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    journal = _begun(tmp_path)
    (tmp_path / "references").mkdir()
    (tmp_path / "references" / ".R000000.jpg.abc.part").touch()
    (tmp_path / "references" / "R000001.jpg").touch()
    journal.begin(REQUEST)
    assert [path.name for path in (tmp_path / "references").iterdir()] == ["R000001.jpg"]
