from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.formats.track2.hdf5_file import Track2, read_track2, write_track2

Rows = NDArray[np.float32]


def vectors(count: int, *, seed: int, dims: int = 6) -> Rows:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)


def example() -> Track2[Rows]:
    return Track2(
        query_ids=[f"Q{i:05d}" for i in range(5)],
        queries=vectors(5, seed=0),
        reference_ids=[f"R{i:06d}" for i in range(9)],
        references=vectors(9, seed=1),
        attributes={"model": "sscd", "image_size": 64, "p": 0.5},
    )


def parts(track2: Track2[Rows], **changes: Any) -> dict[str, Any]:
    """The datasets of a file, with the official layout's names."""
    datasets: dict[str, Any] = {
        "query": track2.queries,
        "reference": track2.references,
        "query_ids": np.array(track2.query_ids, dtype="S6"),
        "reference_ids": np.array(track2.reference_ids, dtype="S7"),
    }
    return {**datasets, **changes}


def save(path: Path, datasets: dict[str, Any], **settings: Any) -> Path:
    with h5py.File(path, "w") as handle:
        for name, data in datasets.items():
            handle.create_dataset(name, data=data, **settings)
    return path


def same(got: Track2[Rows], expected: Track2[Rows]) -> bool:
    return (
        list(got.query_ids) == list(expected.query_ids)
        and list(got.reference_ids) == list(expected.reference_ids)
        and np.array_equal(got.queries, expected.queries)
        and np.array_equal(got.references, expected.references)
        and got.queries.dtype == got.references.dtype == np.float32
    )


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "track2.h5"
    write_track2(path, example())
    got = read_track2(path)
    assert same(got, example())
    assert got.attributes == example().attributes
    assert [entry.name for entry in path.parent.iterdir()] == ["track2.h5"]


def test_the_file_is_the_official_layout(tmp_path: Path) -> None:
    path = tmp_path / "track2.h5"
    write_track2(path, example())
    with h5py.File(path) as handle:
        assert set(handle) == {"query", "query_ids", "reference", "reference_ids"}
        assert handle["query"].dtype == handle["reference"].dtype == np.dtype("float32")
        assert handle["query_ids"].dtype == np.dtype("S6")
        assert handle["reference_ids"].dtype == np.dtype("S7")
        assert handle["query_ids"][0] == b"Q00000"


def test_rows_are_sorted_on_writing(tmp_path: Path) -> None:
    ordered = example()
    shuffled = replace(
        ordered,
        query_ids=list(ordered.query_ids)[::-1],
        queries=ordered.queries[::-1],
        reference_ids=[ordered.reference_ids[i] for i in (4, 1, 0, 2, 3, 8, 7, 6, 5)],
        references=ordered.references[[4, 1, 0, 2, 3, 8, 7, 6, 5]],
    )
    write_track2(tmp_path / "t.h5", shuffled)
    assert same(read_track2(tmp_path / "t.h5"), ordered)


def test_reads_what_other_tools_write(tmp_path: Path) -> None:
    expected = example()
    ids = list(expected.query_ids)
    variants: dict[str, Any] = {
        "list of str": ids,
        "list of bytes": [i.encode() for i in ids],
        "object array of bytes": np.array([i.encode() for i in ids], dtype=object),
        "object array of str": np.array(ids, dtype=object),
        "fixed and too long": np.array(ids, dtype="S32"),
        "string_": np.array(ids).astype(np.bytes_),
    }
    for name, value in variants.items():
        path = save(tmp_path / f"{name}.h5", parts(expected, query_ids=value))
        assert same(read_track2(path), expected), name
    typed = tmp_path / "typed.h5"
    with h5py.File(typed, "w") as handle:
        for name, data in parts(expected).items():
            if name.endswith("_ids"):
                kind = h5py.string_dtype("ascii" if name[0] == "q" else "utf-8")
                handle.create_dataset(name, data=[i.decode() for i in data], dtype=kind)
            else:
                handle.create_dataset(name, data=data, dtype=">f4")
    assert same(read_track2(typed), expected)
    packed = save(tmp_path / "packed.h5", parts(expected), compression="gzip", chunks=True)
    assert same(read_track2(packed), expected)


def test_attributes_of_other_tools(tmp_path: Path) -> None:
    path = save(tmp_path / "t.h5", parts(example()))
    with h5py.File(path, "a") as handle:
        handle.attrs["bytes"] = np.bytes_(b"abc")
        handle.attrs["array"] = np.arange(3)
        handle.attrs["number"] = np.int16(3)
    assert read_track2(path).attributes == {"bytes": "abc", "array": "[0 1 2]", "number": 3}


def spoiled(row: int, value: float) -> Rows:
    result = vectors(9, seed=1)
    result[row, 2] = value
    return result


Q = [f"Q{i:05d}" for i in range(5)]
WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("nan", {"reference": spoiled(7, np.nan)}, ["reference row 7", "R000007"]),
    ("inf", {"reference": spoiled(0, np.inf)}, ["reference row 0", "R000000"]),
    ("wide", {"query": vectors(5, seed=0, dims=257)}, ["query", "257", "256"]),
    ("no columns", {"query": vectors(5, seed=0, dims=0)}, ["query", "0 dimensions"]),
    ("unequal", {"query": vectors(5, seed=0, dims=7)}, ["7", "6", "dimensions"]),
    ("float64", {"query": vectors(5, seed=0).astype(np.float64)}, ["query", "float64"]),
    ("float16", {"query": vectors(5, seed=0).astype(np.float16)}, ["query", "float16"]),
    ("integers", {"query": np.zeros((5, 6), np.int32)}, ["query", "int32"]),
    ("flat", {"query": vectors(5, seed=0)[:, 0]}, ["query", "(5,)"]),
    ("scalar", {"query": np.float32(1)}, ["query", "()"]),
    ("short", {"query_ids": np.array(Q[:4], "S6")}, ["5 rows", "query_ids", "(4,)"]),
    ("square", {"query_ids": np.array([Q], "S6")}, ["query_ids", "(1, 5)"]),
    ("numbers", {"query_ids": np.arange(5)}, ["query_ids", "int64"]),
    (
        "unsorted",
        {"query_ids": np.array([*Q[:3], Q[4], Q[3]], "S6")},
        ["query_ids row 4", "Q00003"],
    ),
    ("twice", {"query_ids": np.array([*Q[:4], Q[3]], "S6")}, ["row 4", "Q00003", "twice"]),
    ("empty id", {"query_ids": np.array(["", *Q[1:]], "S6")}, ["query_ids row 0", "''"]),
    ("accent", {"query_ids": [*Q[:4], "Qé"]}, ["query_ids row 4", "Qé"]),
    ("not text", {"query_ids": np.array([*[q.encode() for q in Q[:4]], b"\xff"])}, ["row 4"]),
    (
        "no rows",
        {"query": vectors(0, seed=0), "query_ids": np.array([], "S6")},
        ["query has no rows"],
    ),
]


@pytest.mark.parametrize(("changes", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_refuses_on_reading(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    path = save(tmp_path / "wrong.h5", parts(example(), **changes))
    with pytest.raises(UserError) as caught:
        read_track2(path)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in [str(path), *words]), message


def test_a_missing_dataset_is_named_with_what_is_there(tmp_path: Path) -> None:
    older = {"vectors": vectors(5, seed=0), "image_names": np.array(Q, "S6")}
    with pytest.raises(UserError, match=r"no dataset query; it holds image_names, vectors"):
        read_track2(save(tmp_path / "older.h5", older))
    with h5py.File(tmp_path / "group.h5", "w") as handle:
        handle.create_group("query")
    with pytest.raises(UserError, match="no dataset query"):
        read_track2(tmp_path / "group.h5")
    with h5py.File(tmp_path / "link.h5", "w") as handle:
        handle["query"] = h5py.SoftLink("/nowhere")
    with pytest.raises(UserError, match="link"):
        read_track2(tmp_path / "link.h5")


def test_refuses_what_is_not_hdf5(tmp_path: Path) -> None:
    for name, content in [("empty", b""), ("text", b"query_id,reference_id\n")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="not a readable HDF5"):
            read_track2(tmp_path / name)
    for place in (tmp_path / "absent", tmp_path):
        with pytest.raises(UserError, match="no such file"):
            read_track2(place)


def test_declared_rows_that_were_never_written(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as handle:
        handle.create_dataset("query", shape=(10**9, 256), dtype="f4", chunks=(64, 256))
        handle.create_dataset("query_ids", shape=(10**9,), dtype="S6", chunks=(64,))
    with pytest.raises(UserError, match="query was declared but never written"):
        read_track2(tmp_path / "t.h5")


def is_refused(path: Path) -> bool:
    """Whether reading raises UserError; any other exception passes through."""
    try:
        read_track2(path)
    except UserError as error:
        return "\n" not in str(error)
    return False


def test_a_damaged_file_never_passes_as_another_error(tmp_path: Path) -> None:
    write_track2(tmp_path / "whole.h5", example())
    whole = (tmp_path / "whole.h5").read_bytes()
    refused = 0
    damaged = tmp_path / "damaged.h5"
    for length in range(0, len(whole), 97):
        damaged.write_bytes(whole[:length])
        with pytest.raises(UserError):
            read_track2(damaged)
        refused += 1
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(whole)
        for place in rng.integers(len(whole), size=4):
            broken[place] = rng.integers(256)
        damaged.write_bytes(broken)
        refused += is_refused(damaged)
    assert refused > len(whole) // 97


def check_ids(ids: list[str]) -> Callable[[Track2[Rows]], Track2[Rows]]:
    return lambda track2: replace(track2, query_ids=ids)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (check_ids([*Q[:4], Q[0]]), UserError, "Q00000 occurs twice"),
        (check_ids([*Q[:4], "Qé"]), UserError, "query_ids row 4"),
        (check_ids([*Q[:4], ""]), UserError, "query_ids row 4"),
        (check_ids([*Q[:4], "a\0"]), UserError, "query_ids row 4"),
        (check_ids(Q[:4]), ValueError, "4 ids"),
        (lambda t: replace(t, references=spoiled(7, np.nan)), UserError, "reference row 7"),
        (lambda t: replace(t, queries=vectors(5, seed=0, dims=300)), UserError, "300 dimensions"),
        (lambda t: replace(t, queries=vectors(5, seed=0, dims=7)), UserError, "query has 7"),
        (lambda t: replace(t, queries=vectors(5, seed=0)[0]), ValueError, "expected"),
        (
            lambda t: replace(t, queries=t.queries.astype(np.float64)),
            ValueError,
            "expected float32",
        ),
        (
            lambda t: replace(t, queries=vectors(0, seed=0), query_ids=[]),
            UserError,
            "query has no rows",
        ),
    ],
)
def test_refuses_on_writing_and_leaves_nothing(
    tmp_path: Path,
    change: Callable[[Track2[Rows]], Track2[Rows]],
    error: type[Exception],
    words: str,
) -> None:
    path = tmp_path / "t.h5"
    with pytest.raises(error, match=words):
        write_track2(path, change(example()))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    write_track2(path, example())
    before = path.read_bytes()
    unfit: Any = {"model": object()}
    with pytest.raises(TypeError):
        write_track2(path, replace(example(), attributes=unfit))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = replace(
        example(),
        reference_ids=[f"R{i:06d}" for i in range(4000)],
        references=vectors(4000, seed=1, dims=6),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write \S+: File too large; "):
            write_track2(tmp_path / "t.h5", large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_track2(tmp_path / "file" / "t.h5", example())
