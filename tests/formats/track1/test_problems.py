from pathlib import Path

import pytest

from sscd.errors import UserError
from sscd.formats.track1.problems import problems_of_track1


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_all_problems_of_all_files_are_listed(tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", "Q1,R1,0.5\nQ1,R2\nQ1,R3,nan\nQ1,R1,0.7\n")
    second = write(tmp_path / "2.csv", "query_id,reference_id,score\nQ2,R1,1\nQ1,R1,0.1\n,R2,1")
    assert list(problems_of_track1([first, second])) == [
        f"{first}, line 2: got 2 fields; expected query_id,reference_id,score",
        f"{first}, line 3: score 'nan' is no finite number; expected one, as 0.5",
        f"{second}, line 4: query_id is ''; expected a non-empty ASCII id; "
        "the file ends amid this line, it may be cut off",
        f"{first}, line 4: pair Q1,R1 is there already in {first}, line 1; keep one",
        f"{second}, line 3: pair Q1,R1 is there already in {first}, line 1; keep one",
    ]


def test_problems_of_a_kind_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "Q1,R1,0.5\n" * 30 + "Q1\n" * 25)
    found = list(problems_of_track1([path]))
    assert len(found) == 42
    assert found[-2:] == ["5 more: malformed lines", "9 more: repeated pairs"]


def test_lists_hold_the_ids_that_may_occur(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "Q1.jpg,R1,0.5\nQ2.jpg,R7,0.5\nQ3,R9,0.1\n")
    queries = write(tmp_path / "queries", "Q1\nQ2\nQ3\nQ4\n")
    references = write(tmp_path / "references", "R1\nR2\n")
    assert list(problems_of_track1([path], queries, references)) == [
        f"{path}: reference_id has 2 that are not in {references}: R7, R9"
    ]


def test_empty_and_too_long_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = write(tmp_path / "empty.csv", "")
    assert list(problems_of_track1([empty])) == [
        f"{empty}: is empty; expected lines of query_id,reference_id,score"
    ]
    header = write(tmp_path / "header.csv", "query_id,reference_id,score\n")
    assert list(problems_of_track1([header])) == [f"{header}: holds no predictions"]
    monkeypatch.setattr("sscd.formats.track1.problems.LIMIT", 2)
    path = write(tmp_path / "p.csv", "Q1,R1,1\nQ1,R2,1\nQ1,R3,1\n")
    assert list(problems_of_track1([path])) == [
        f"{path}: 3 predictions; track 1 takes at most 2; keep the best"
    ]
    with pytest.raises(UserError, match="cannot read"):
        list(problems_of_track1([tmp_path / "absent"]))
