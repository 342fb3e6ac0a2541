from pathlib import Path

import h5py
import numpy as np
import pytest

from sscd.data.descriptors import Descriptors, Origin
from sscd.errors import UserError
from sscd.formats.inspection import inspect_file
from sscd.formats.origins import origin_attributes
from sscd.formats.track2.hdf5_file import Track2, write_track2, write_vectors

ROWS = np.ones((3, 4), np.float32)
IDS = ["a", "b", "c"]
ATTRIBUTES = origin_attributes(Origin("abc", "288 short_side"))


def test_what_a_descriptor_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    write_track2(path, Track2(["Q0"], ROWS[:1], IDS, ROWS, ATTRIBUTES))
    report = inspect_file(path)
    assert (report.kind, report.problems, report.count) == ("track2", (), 0)
    assert report.found == (
        "model abc, pictures 288 short_side",
        "query: 1 rows of 4 dimensions",
        "reference: 3 rows of 4 dimensions",
    )
    write_vectors(path, Descriptors(IDS, ROWS))
    report = inspect_file(path)
    assert report.kind == "vectors"
    assert report.found == ("model unknown, pictures unknown", "vectors: 3 rows of 4 dimensions")


def test_what_predictions_and_parquet_hold(tmp_path: Path) -> None:
    from sscd.formats.parquet.writing import PartInfo, encode_part

    (tmp_path / "p").write_text("Q1,R1,1\nQ1,R2,1\n")
    report = inspect_file(tmp_path / "p")
    assert (report.kind, report.problems) == ("track1", ())
    assert report.found == ("2 predictions of 1 queries and 2 references",)
    info = PartInfo(Origin("abc"), 4, 0, 1, "source", 3, 0)
    (tmp_path / "d").write_bytes(encode_part(IDS, ROWS, info))
    (tmp_path / "list").write_text("a\nb\nd\n")
    report = inspect_file(tmp_path / "d", reference_list=tmp_path / "list")
    assert (report.kind, report.count) == ("parquet", 2)
    assert report.found[1] == "3 rows of 4 dimensions"
    assert report.problems[1].endswith(f"id has 1 that are not in {tmp_path / 'list'}: c")
    content = bytearray((tmp_path / "d").read_bytes())
    content[content.index(ROWS.tobytes()) + 3] = 0x7F
    (tmp_path / "d").write_bytes(content)
    assert inspect_file(tmp_path / "d").count == 1


def test_problems_are_counted_beyond_those_listed(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("Q1,R1,nan\n" * 100 + "Q1\n")
    report = inspect_file(tmp_path / "p")
    assert (report.count, len(report.problems)) == (101, 22)


def test_files_that_are_nothing_or_end_early_have_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    write_track2(path, Track2(["Q0"], ROWS[:1], IDS, ROWS))
    path.write_bytes(path.read_bytes()[:-100])
    report = inspect_file(path)
    assert (report.kind, report.count) == (None, 1)
    assert "truncated" in report.problems[0]
    (tmp_path / "x").write_bytes(b"\xff\xd8\xff")
    assert "neither descriptors" in inspect_file(tmp_path / "x").problems[0]


def test_a_damaged_block_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    data = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    with h5py.File(path, "w") as handle:
        handle.create_dataset("vectors", data=data, chunks=(1, 3), fletcher32=True)
        handle["image_names"] = [b"a", b"b", b"c", b"d", b"e"]
    content = bytearray(path.read_bytes())
    content[content.index(data[2].tobytes())] ^= 1
    path.write_bytes(content)
    (problem,) = inspect_file(path).problems
    assert problem.endswith("vectors rows 0 to 4")


def test_a_file_of_one_side_takes_one_list(tmp_path: Path) -> None:
    write_vectors(tmp_path / "t.h5", Descriptors(IDS, ROWS))
    (tmp_path / "list").write_text("a\nb\nc\n")
    lists = {"query_list": tmp_path / "list", "reference_list": tmp_path / "list"}
    with pytest.raises(UserError, match="has one side"):
        inspect_file(tmp_path / "t.h5", **lists)
    assert inspect_file(tmp_path / "t.h5", query_list=tmp_path / "list").count == 0


def test_any_damage_ends_in_a_report(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    write_track2(path, Track2(["Q0"], ROWS[:1], IDS, ROWS, ATTRIBUTES))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=4):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        report = inspect_file(path)
        assert report.count >= len(report.problems) > 0 or report.found
        assert all("\n" not in problem for problem in report.problems)
        found += bool(report.count)
    assert found > 20
