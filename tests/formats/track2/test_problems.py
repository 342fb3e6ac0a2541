"""Everything that is wrong with a descriptor file is listed, with its place."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.track2.problems import problems_of_track2


def save(path: Path, **changes: Any) -> Path:
    datasets: dict[str, Any] = {
        "query": np.ones((3, 4), np.float32),
        "query_ids": np.array([b"Q0", b"Q1", b"Q2"]),
        "reference": np.ones((40, 4), np.float32),
        "reference_ids": np.array([b"R%02d" % i for i in range(40)]),
    }
    with h5py.File(path, "w") as handle:
        for name, data in {**datasets, **changes}.items():
            if data is not None:
                handle[name] = data
    return path


def problems(path: Path, **lists: Path) -> list[str]:
    return [line.removeprefix(f"{path}: ") for line in problems_of_track2(path, **lists)]


def test_a_file_as_it_should_be_has_none(tmp_path: Path) -> None:
    assert problems(save(tmp_path / "t.h5")) == []


def test_all_kinds_are_found_at_once(tmp_path: Path) -> None:
    queries = np.ones((3, 4), np.float32)
    queries[1] = np.nan
    references = np.ones((40, 5), np.float32)
    references[5:38, 2] = np.inf
    path = save(
        tmp_path / "t.h5",
        query=queries,
        query_ids=np.array([b"Q1", b"Q0", b"Q1"]),
        reference=references,
    )
    found = problems(path)
    assert found[:3] == [
        "query_ids row 1: Q0 follows Q1; sort the rows by id",
        "query_ids row 2: Q1 occurs twice, first in row 0; keep one",
        "query has 4 dimensions and reference 5; expected the same of both",
    ]
    assert found[3] == "query row 1 (Q0) holds a value that is not finite, or too large to compare"
    assert (
        found[4]
        == "reference row 5 (R05) holds a value that is not finite, or too large to compare"
    )
    assert found[-2:] == [
        "reference row 23 (R23) holds a value that is not finite, or too large to compare",
        "14 more: rows that are not finite",
    ]


def test_one_problem_does_not_hide_another(tmp_path: Path) -> None:
    path = save(
        tmp_path / "t.h5",
        query=np.ones((4, 300)),
        query_ids=np.array([b"Q0", b"", b"Q\xff"]),
        reference=None,
    )
    assert problems(path) == [
        "query is float64; expected float32",
        "query has 300 dimensions; track 2 takes 1 to 256",
        "query_ids row 1 is ''; expected a non-empty ASCII id",
        "query_ids row 2 is 'Q\ufffd'; expected a non-empty ASCII id",
        "no dataset reference; it holds query, query_ids, reference_ids",
    ]
    path = save(tmp_path / "t.h5", query_ids=np.array([b"Q0", b"Q1"]), reference_ids=np.arange(40))
    assert problems(path) == [
        "query has 3 rows and query_ids shape (2,); expected one id a row",
        "reference_ids is int64; expected ASCII bytes",
    ]


def test_ids_are_held_against_list_files(tmp_path: Path) -> None:
    (tmp_path / "queries").write_text("Q0.jpg\nQ1.jpg\nQ3.jpg\n")
    (tmp_path / "references").write_text("".join(f"R{i:02d}\n" for i in range(40)))
    path = save(tmp_path / "t.h5")
    lists = {"query_list": tmp_path / "queries", "reference_list": tmp_path / "references"}
    assert problems(path, **lists) == [
        f"query_ids lacks 1 of the 3 in {tmp_path / 'queries'}: Q3",
        f"query_ids has 1 that are not in {tmp_path / 'queries'}: Q2",
    ]
    with pytest.raises(UserError, match="cannot read list file"):
        problems(path, query_list=tmp_path / "absent")


def test_the_older_layout(tmp_path: Path) -> None:
    vectors = np.ones((3, 960), np.float32)
    vectors[2, 0] = np.nan
    names = np.array([b"b.jpg", b"a.jpg", b"b.jpg"])
    with h5py.File(tmp_path / "t.h5", "w") as handle:
        handle["vectors"], handle["image_names"] = vectors, names
    (tmp_path / "list").write_text("a\nb\nc\n")
    assert problems(tmp_path / "t.h5", reference_list=tmp_path / "list") == [
        "image_names row 2: b.jpg occurs twice, first in row 0; keep one",
        f"image_names lacks 1 of the 3 in {tmp_path / 'list'}: c",
        "vectors row 2 (b.jpg) holds a value that is not finite, or too large to compare",
    ]


def test_ids_with_kilobytes_of_padding(tmp_path: Path) -> None:
    path = save(tmp_path / "t.h5", query_ids=np.array([b"Q0", b"Q1", b"Q2"], "S4000"))
    assert problems(path) == []


def test_ids_that_were_never_written(tmp_path: Path) -> None:
    path = save(tmp_path / "t.h5", query_ids=None)
    with h5py.File(path, "a") as handle:
        handle.create_dataset("query_ids", (3,), "S6", chunks=(3,))
    assert problems(path) == ["query_ids was declared but never written; write the file again"]


def test_rows_of_which_hardly_any_was_written(tmp_path: Path) -> None:
    path = save(tmp_path / "t.h5", query=None, query_ids=None)
    with h5py.File(path, "a") as handle:
        for name, shape, kind in (("query", (10**9, 4), "f4"), ("query_ids", (10**9,), "S6")):
            saved = handle.create_dataset(name, shape, kind, chunks=(64, *shape[1:]))
            saved[:64] = np.ones(saved[:64].shape).astype(kind)
    assert problems(path) == [
        "query was declared but never written; write the file again",
        "query_ids was declared but never written; write the file again",
    ]
