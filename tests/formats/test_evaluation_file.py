"""The file of an evaluation: back as it was, and nothing in it believed."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sscd.errors import UserError
from sscd.evaluation.report import make_report
from sscd.formats.evaluation_file import is_evaluation_file, read_evaluations, write_evaluations
from tests.evaluation.described import PROTOCOLS
from tests.evaluation.judged_sets import judged_system


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "evaluation.h5"
    write_evaluations(path, [judged_system(protocol=one) for one in PROTOCOLS])
    return path


def test_reports_of_what_is_read_are_the_same(file: Path) -> None:
    read = read_evaluations(file)
    assert [one.evaluation.kind for one in read] == ["neighbours", "global"]
    assert is_evaluation_file(file)
    for one in read:
        kind = one.evaluation.kind
        assert kind != "predictions"
        written = judged_system(protocol=kind)
        assert dataclasses.replace(one, evaluation=written.evaluation) == written
        assert make_report(one, samples=20).as_json() == make_report(written, samples=20).as_json()


def test_ids_of_any_kind_and_no_candidates(tmp_path: Path) -> None:
    judged = judged_system()
    names = {
        "Q000": "é <b>\n'",
        "R000": "写真/一",
        "Q001": "caf\udce9.jpg",
        "R001": "\udcff",  # bytes of file names that are no text
    }
    candidates = judged.evaluation.candidates
    evaluation = dataclasses.replace(
        judged.evaluation,
        candidates=dataclasses.replace(
            candidates, query_ids=tuple(names.get(one, one) for one in candidates.query_ids)
        ),
        reference_ids=[names.get(one, one) for one in judged.evaluation.reference_ids],
    )
    pairs = frozenset((names.get(q, q), names.get(r, r)) for q, r in judged.truth.pairs)
    odd = dataclasses.replace(
        judged,
        evaluation=evaluation,
        truth=dataclasses.replace(judged.truth, pairs=pairs, listed=None),
        edits=None,
    )
    write_evaluations(tmp_path / "odd.h5", [odd])
    (read,) = read_evaluations(tmp_path / "odd.h5")
    assert read.truth == odd.truth
    assert make_report(read, samples=0).as_json() == make_report(odd, samples=0).as_json()


def test_refuses_to_write_two_of_a_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="each of its own kind"):
        write_evaluations(tmp_path / "e.h5", [judged_system(), judged_system()])
    assert not list(tmp_path.iterdir())


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_evaluations(tmp_path / "file" / "e.h5", [judged_system()])


def _about(handle: Any, **changes: Any) -> None:
    value = json.loads(handle["about"][()])
    for key, change in changes.items():
        if change is None:
            del value[key]
        else:
            value[key] = change
    del handle["about"]
    handle["about"] = json.dumps(value)


def _lie(handle: Any, key: str, value: object) -> None:
    figures = json.loads(handle["about"][()])["figures"]
    figures["global"][key] = value
    _about(handle, figures=figures)


def _set(handle: Any, name: str, values: Any) -> None:
    del handle[name]
    handle[name] = values


def _replaced(handle: Any, name: str, place: int, value: float) -> None:
    values = handle[name][()]
    values[place] = value
    _set(handle, name, values)


DAMAGE: dict[str, Callable[[Any], Any]] = {
    "holds no evaluation": lambda h: h.pop("about"),
    "'about' is not JSON": lambda h: _set(h, "about", "{"),
    "key 'version': got 9": lambda h: _about(h, version=9),
    "key 'system' is missing": lambda h: _about(h, system=None),
    "key 'figures': got": lambda h: _about(h, figures={"other": {}}),
    "key 'micro_ap' is missing": lambda h: _about(h, figures={"global": {}}),
    "key 'pairs': got 7": lambda h: _about(h, pairs=[7]),
    "key 'pairs': got none": lambda h: _about(h, pairs=[]),
    "key 'listed'": lambda h: _about(h, listed=[1]),
    "the list 'global' is missing": lambda h: h.pop("global"),
    "query out of range": lambda h: _replaced(h, "neighbours/query", 0, 40),
    "reference out of range": lambda h: _replaced(h, "neighbours/reference", 0, -1),
    "scores that are no numbers": lambda h: _replaced(h, "neighbours/score", 0, np.nan),
    "counts unlike": lambda h: _replaced(h, "neighbours/true_counts", 0, 5),
    "more than once": lambda h: _replaced(
        h, "neighbours/reference", 1, h["neighbours/reference"][0]
    ),
    "scores": lambda h: _set(h, "neighbours/score", np.zeros(3)),
    "expected integers": lambda h: _set(h, "neighbours/query", np.zeros(400)),
    "not a readable HDF5": lambda h: h.pop("neighbours/score"),
    "query id twice": lambda h: _set(h, "neighbours/query_ids", ["Q000"] * 40),
    "has shape ()": lambda h: _set(h, "neighbours/query_ids", "Q000"),
    "reference_ids has shape ()": lambda h: (
        h.pop("neighbours/reference_ids"),
        h.create_group("neighbours/reference_ids"),
    ),
    "and the file says 0.125": lambda h: _lie(h, "micro_ap", 0.125),
    "and the file says 0.25": lambda h: _lie(h, "recall_at_1", 0.25),
    "has true_pairs 20, and the file says 1e+06": lambda h: _lie(h, "true_pairs", 10**6),
    "and the file says 7": lambda h: _lie(h, "threshold_at_p90", 7.0),
    "and the file says inf": lambda h: _lie(h, "threshold_at_p90", None),
    "lacks query": lambda h: _set(h, "neighbours/query_ids", [f"X{i}" for i in range(40)]),
}


@pytest.mark.parametrize("expected", DAMAGE)
def test_damage_is_one_line(file: Path, expected: str) -> None:
    with h5py.File(file, "r+") as handle:
        DAMAGE[expected](handle)
    with pytest.raises(UserError) as raised:
        read_evaluations(file)
    assert expected in str(raised.value)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"query_id,reference_id\n"])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "e.h5"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a readable HDF5|holds no evaluation"):
        read_evaluations(path)
    with pytest.raises(UserError, match="no such file"):
        read_evaluations(tmp_path / "none.h5")


def test_a_truncated_file(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(UserError, match="truncated"):
        read_evaluations(file)


def test_what_stops_a_write_is_said_plainly(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(UserError) as raised:
            write_evaluations(tmp_path / "e.h5", [judged_system()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"cannot write {tmp_path / 'e.h5'}: File too large; " in str(raised.value)
    assert "errno" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
