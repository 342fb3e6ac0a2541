from pathlib import Path

import pytest

from sscd.data.ground_truth import GroundTruth, read_ground_truth, write_ground_truth
from sscd.errors import UserError


def _read(tmp_path: Path, data: str | bytes) -> GroundTruth:
    file = tmp_path / "truth.csv"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_ground_truth(file)


def test_a_file_with_header_lists_copies_and_distractors(tmp_path: Path) -> None:
    truth = _read(tmp_path, "query_id,reference_id\nQ00000,\nQ00001,R000007\n")
    assert truth.pairs == {("Q00001", "R000007")}
    assert truth.listed == frozenset({"Q00000", "Q00001"})


def test_distractors_without_header_are_listed_too(tmp_path: Path) -> None:
    assert _read(tmp_path, "Q0,R1\nQ1,\n").listed == frozenset({"Q0", "Q1"})


def test_positives_without_header_speak_of_all(tmp_path: Path) -> None:
    assert _read(tmp_path, "Q0,R1\nQ1,R0\n") == GroundTruth(
        pairs=frozenset({("Q0", "R1"), ("Q1", "R0")}), listed=None
    )


def test_positives_with_header_speak_of_themselves_only(tmp_path: Path) -> None:
    assert _read(tmp_path, "query_id,reference_id\nQ0,R1\n").listed == frozenset({"Q0"})


def test_a_query_may_have_several_references(tmp_path: Path) -> None:
    assert _read(tmp_path, "Q0,R1\nQ0,R2\n").pairs == {("Q0", "R1"), ("Q0", "R2")}


def test_byte_order_mark_crlf_quotes_blanks_and_trailing_lines_are_tolerated(
    tmp_path: Path,
) -> None:
    data = '\ufeffQuery_ID, reference_id\r\n"Q0","R1"\r\nQ1,\r\n\r\n\r\n'
    assert _read(tmp_path, data) == GroundTruth(
        pairs=frozenset({("Q0", "R1")}), listed=frozenset({"Q0", "Q1"})
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Q0,R1\nQ1\n", "line 2: got 1 fields"),
        ("query_id,reference_id,score\nQ0,R1,0.5\n", "line 1: got 3 fields"),
        ("Q0,R1\n\nQ1,R2\n", "line 2: got 0 fields"),
        ("Q0,R1\n,R2\n", "line 2: the query id is empty"),
        ("Q0,R1\nQ0,R1\n", "line 2: Q0,R1 is there twice"),
        ("Q0,\nQ1,R1\nQ0,\n", "line 3: Q0, is there twice"),
        ("Q0,\nQ0,R1\n", "query Q0 has a reference on one line and none on another"),
        (b"Q0,R1\nQ\xff,R2\n", "line 2: not UTF-8"),
        ('Q0,R1\n"Q1,R2\n', "line 2: unexpected end of data"),
        ("", "names no query"),
        ("query_id,reference_id\n", "names no query"),
    ],
)
def test_bad_files_are_one_line_with_the_place(
    tmp_path: Path, data: str | bytes, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        _read(tmp_path, data)
    assert message in str(caught.value)
    assert "truth.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError, match=path.name):
            read_ground_truth(path)


@pytest.mark.parametrize(
    "truth",
    [
        GroundTruth(frozenset({("Q1", "R2"), ("Q0", "R2")}), listed=None),
        GroundTruth(frozenset({("Q1", "R2")}), listed=frozenset({"Q1"})),
        GroundTruth(frozenset({("Q1", "R2")}), listed=frozenset({"Q1", "Q0", "Q2"})),
        GroundTruth(frozenset(), listed=frozenset({"Q1"})),
    ],
)
def test_what_is_written_reads_back_equal(tmp_path: Path, truth: GroundTruth) -> None:
    write_ground_truth(tmp_path / "t.csv", truth)
    assert read_ground_truth(tmp_path / "t.csv") == truth


def test_the_written_file_is_sorted_with_a_header(tmp_path: Path) -> None:
    truth = GroundTruth(frozenset({("Q1", "R2")}), listed=frozenset({"Q1", "Q0"}))
    write_ground_truth(tmp_path / "t.csv", truth)
    assert (tmp_path / "t.csv").read_bytes() == b"query_id,reference_id\nQ0,\nQ1,R2\n"


@pytest.mark.parametrize(
    "truth",
    [
        GroundTruth(frozenset()),
        GroundTruth(frozenset({("Q0", "R0")}), listed=frozenset({"Q1"})),
        GroundTruth(frozenset({("Q,0", "R0")})),
        GroundTruth(frozenset({("Q0", "R0\n")})),
    ],
)
def test_what_a_file_cannot_hold_is_not_written(tmp_path: Path, truth: GroundTruth) -> None:
    with pytest.raises(ValueError, match="expected"):
        write_ground_truth(tmp_path / "t.csv", truth)
    assert list(tmp_path.iterdir()) == []
