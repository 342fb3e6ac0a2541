"""The state of a benchmark's directory."""

import json
from pathlib import Path

import pytest

from sscd.data.benchmark.journal import MARKER, Journal
from sscd.errors import UserError

ASKED = {"seed": 0, "leave_out": ("a", "b"), "pictures": "3 aa"}
REQUEST = {**ASKED, "times of change": "bb", "versions": {"x": "1"}}
NONE = {"copies": 0, "distractors": 0}
MADE = {"references": 2, "training": 0, "dev": NONE, "test": NONE}
SUMMARY = {"request": ASKED, "made": MADE, "versions": {"x": "1"}}
FILES = (
    *("dev_queries_groundtruth.csv", "test_queries_groundtruth.csv", "sources.csv", "edits.jsonl"),
    *(
        "contact_sheet.jpg",
        "checksums.sha256",
        "list_files/references",
        "references/R0.jpg",
        "references/R1.jpg",
    ),
)


def _journal(out: Path) -> Journal:
    return Journal(out, photos=Path("photos"))


def _begun(out: Path) -> Journal:
    journal = _journal(out)
    journal.check(REQUEST)
    journal.begin(REQUEST)
    return journal


def _finished(out: Path) -> Journal:
    journal = _journal(out)
    with journal.locked():
        journal.begin(REQUEST)
        for name in FILES:
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_text("R0\nR1\n")
        journal.finish(SUMMARY)
    return journal


def test_from_new_to_finished(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    journal = _begun(out)
    assert not journal.is_finished(ASKED)
    journal.check(REQUEST)
    journal = _finished(out)
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == sorted(
        (MARKER, *FILES)
    )
    assert not (out / ".partial").exists()
    assert journal.is_finished(ASKED)
    (out / ".partial").mkdir()  # killed between the marker and its removal
    (out / ".partial" / "begun.json").write_text("{}")
    assert journal.is_finished(ASKED)
    assert not (out / ".partial").exists()


def test_a_benchmark_that_lost_files_is_not_finished_and_can_be_gone_on_with(
    tmp_path: Path,
) -> None:
    journal = _finished(tmp_path)
    assert journal.lost() == []
    (tmp_path / "references" / "R1.jpg").unlink()
    assert journal.lost() == ["references/R1.jpg"]
    assert not journal.is_finished(ASKED)
    journal.check({**REQUEST, "times of change": "cc"})  # which a finished one does not hold
    journal.begin(REQUEST)
    with pytest.raises(UserError, match="was begun otherwise: the pictures of photos changed"):
        journal.begin({**REQUEST, "times of change": "cc"})
    assert not journal.is_finished(ASKED)
    (tmp_path / "references" / "R1.jpg").touch()
    assert journal.is_finished(ASKED)
    assert not (tmp_path / ".partial").exists()


def test_other_libraries_do_not_mend(tmp_path: Path) -> None:
    journal = _finished(tmp_path)
    other = {**REQUEST, "versions": {"x": "2"}}
    assert journal.is_finished(ASKED)
    (tmp_path / "references" / "R1.jpg").unlink()
    with pytest.raises(UserError) as caught:
        journal.check(other)
    out = str(tmp_path)
    assert str(caught.value) == (
        f"{out} lost files and cannot be mended: x was 1, is now 2; "
        f"give another directory, or remove {out}"
    )


def test_a_finished_benchmark_is_left_to_the_process_that_mends_it(tmp_path: Path) -> None:
    journal = _finished(tmp_path)
    with journal.locked():
        journal.begin(REQUEST)
        assert journal.is_finished(ASKED)
        assert (tmp_path / ".partial" / "begun.json").exists()


def test_another_request_is_refused(tmp_path: Path) -> None:
    journal = _begun(tmp_path)
    with pytest.raises(UserError, match="was begun otherwise: --seed was 0, is now 1; give"):
        journal.check({**REQUEST, "seed": 1})
    journal.finish(SUMMARY)
    with pytest.raises(
        UserError, match="was made otherwise: --leave_out was a,b, is now not given"
    ):
        journal.is_finished({**ASKED, "leave_out": ()})


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"request": 3}'])
def test_a_foreign_or_broken_marker_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MARKER).write_text(content)
    with pytest.raises(UserError) as caught:
        _journal(tmp_path).is_finished(ASKED)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_anything_else_in_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"holds notes\.txt \(1 entries\) and no benchmark"):
        _journal(tmp_path).check(REQUEST)
    with pytest.raises(UserError, match=r"notes\.txt is a file"):
        _journal(tmp_path / "notes.txt").check(REQUEST)


def test_hidden_files_of_others_are_not_in_the_way(tmp_path: Path) -> None:
    for name in (".DS_Store", ".x.part"):
        (tmp_path / name).touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / ".y.part").touch()
    _begun(tmp_path)
    assert (tmp_path / ".DS_Store").exists()
    assert (tmp_path / ".git" / ".y.part").exists()


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


def test_records_of_the_finished_benchmark_are_taken(tmp_path: Path) -> None:
    journal = _finished(tmp_path)
    journal.begin(REQUEST)
    lines = {f"Q{n}": json.dumps({"query_id": f"Q{n}"}) for n in range(3)}
    (tmp_path / "edits.jsonl").write_text(f"{lines['Q0']}\n{lines['Q1'][:-4]}")
    with journal.recording() as record:
        record(lines["Q2"])
    assert journal.records(lines) == {"Q0": lines["Q0"], "Q2": lines["Q2"]}
    (tmp_path / "edits.jsonl").unlink()
    assert journal.records(lines).keys() == {"Q0", "Q2"}


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
