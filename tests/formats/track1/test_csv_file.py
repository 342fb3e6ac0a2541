"""Predictions written and read: scores to the last bit, the best kept, several files as one."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.formats.track1.csv_file import Written, read_track1, write_track1
from sscd.formats.track1.lines import HEADER


def ids(letter: str, numbers: Any) -> NDArray[np.bytes_]:
    return np.array([f"{letter}{n:04d}".encode() for n in numbers])


def block(scores: Any, *, first: int = 0, dtype: Any = np.float32) -> Any:
    values = np.asarray(scores, dtype=dtype)
    return ids("Q", range(len(values))), ids("R", range(first, first + len(values))), values


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_the_file_is_the_official_layout(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "p.csv"
    assert write_track1(path, [block([0.5, -2, 3]), block([1], first=7)]) == Written(4, 0)
    assert path.read_text() == (
        f"{HEADER}\nQ0002,R0002,3.0\nQ0000,R0007,1.0\nQ0000,R0000,0.5\nQ0001,R0001,-2.0\n"
    )
    assert [entry.name for entry in path.parent.iterdir()] == ["p.csv"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_round_trip_to_the_last_bit(tmp_path: Path, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    near = [dtype(1.9)]
    for _ in range(300):
        near.append(np.nextafter(near[-1], dtype(2), dtype=dtype))
    info = np.finfo(dtype)
    odd = [0.0, info.max, info.min, info.tiny, info.smallest_subnormal, 1e-5, 16777216, 0.1]
    wild = rng.standard_normal(2000) * 10.0 ** rng.integers(-30, 30, size=2000)
    scores = np.unique(np.array([*near, *odd, *wild], dtype=dtype))
    rng.shuffle(scores)
    write_track1(tmp_path / "p.csv", [block(scores, dtype=dtype)])
    got = read_track1(tmp_path / "p.csv")
    expected = np.sort(scores)[::-1]
    assert np.array_equal(got.scores.astype(dtype), expected)
    printed = [row[2] for row in rows(tmp_path / "p.csv")[1:]]
    assert len(set(printed)) == len(scores)
    # Also who reads float64 sees the same order, without a tie.
    assert (np.diff(got.scores) < 0).all()


def test_equal_scores_look_alike_and_are_ordered_by_ids(tmp_path: Path) -> None:
    scores = np.array([0.0, -0.0, 0.5, 0.0], np.float32)
    queries, references = ["Q2", "Q1", "Q9", "Q1"], ["R1", "R2", "R1", "R1"]
    write_track1(tmp_path / "p.csv", [(queries, references, scores)])
    assert rows(tmp_path / "p.csv")[1:] == [
        ["Q9", "R1", "0.5"],
        ["Q1", "R1", "0.0"],
        ["Q1", "R2", "0.0"],
        ["Q2", "R1", "0.0"],
    ]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_the_best_are_kept_whatever_the_blocks(tmp_path: Path, size: int) -> None:
    scores = np.random.default_rng(1).integers(0, 12, size=50).astype(np.float32)
    whole = block(scores)
    parts = [tuple(c[i : i + size] for c in whole) for i in range(0, 50, size)]
    assert write_track1(tmp_path / "p.csv", parts, limit=20) == Written(20, 30)
    table = sorted(zip(*(c.tolist() for c in whole), strict=True), key=lambda r: (-r[2], r[0]))
    expected = [[q.decode(), r.decode(), str(s)] for q, r, s in table[:20]]
    assert rows(tmp_path / "p.csv")[1:] == expected


@pytest.mark.parametrize(
    ("blocks", "error", "words"),
    [
        ([block([1, np.nan])], ValueError, "not finite"),
        ([block([1, np.inf])], ValueError, "not finite"),
        ([block([1]), block([1], dtype=np.float64)], ValueError, "float64"),
        ([block([1], dtype=np.int64)], ValueError, "int64"),
        ([(["Q1"], ["R1", "R2"], np.ones(1))], ValueError, "1 query ids, 2 reference ids"),
        ([block([1]), block([2])], ValueError, "1 pairs twice"),
        ([(["Q,1"], ["R1"], np.ones(1))], UserError, "query id of pair 0 is 'Q,1'"),
        ([(["Q1"], ["Ré"], np.ones(1))], UserError, "reference id row 0 is 'Ré'"),
    ],
)
def test_refuses_on_writing_and_leaves_nothing(
    tmp_path: Path, blocks: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        write_track1(tmp_path / "p.csv", blocks)
    assert list(tmp_path.iterdir()) == []


def test_no_pairs_make_a_file_with_a_header(tmp_path: Path) -> None:
    assert write_track1(tmp_path / "p.csv", []) == Written(0, 0)
    assert rows(tmp_path / "p.csv") == [HEADER.split(",")]


def test_several_files_are_one(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("1.csv", "2.csv", "3.csv"))
    write_track1(first, [block([0.9, 0.1, 0.5])])
    write_track1(second, [block([0.5, 0.7], first=100)])
    write_track1(third, [])  # a machine without a match
    got = read_track1([first, second, third], limit=3)
    assert got.dropped == 2
    # 0.5 is there twice: of Q0000 and of Q0002.
    assert got.query_ids.tolist() == [b"Q0000", b"Q0001", b"Q0000"]
    assert got.reference_ids.tolist() == [b"R0000", b"R0101", b"R0100"]
    again = read_track1([third, second, first], limit=3)
    assert again.reference_ids.tolist() == [b"R0101", b"R0100", b"R0000"]
    write_track1(tmp_path / "merged.csv", [(got.query_ids, got.reference_ids, got.scores)])
    assert [row[2] for row in rows(tmp_path / "merged.csv")[1:]] == ["0.9", "0.7", "0.5"]


def test_a_repeated_pair_is_named_in_both_files(tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    write_track1(first, [block([0.9, 0.8])])
    second.write_text("Q0009,R0009,1\nQ0001,R0001,-5\n")
    with pytest.raises(UserError) as caught:
        read_track1([first, second], limit=1)  # also where the line would be cut off
    assert str(caught.value) == (
        f"{second}, line 2: pair Q0001,R0001 is there already in {first}, line 3; keep one"
    )


def test_no_predictions_at_all(tmp_path: Path) -> None:
    (tmp_path / "header.csv").write_text(f"{HEADER}\n")
    with pytest.raises(UserError, match=r"header.csv: no predictions"):
        read_track1(tmp_path / "header.csv")
    with pytest.raises(UserError, match="cannot read"):
        read_track1(tmp_path / "absent.csv")
