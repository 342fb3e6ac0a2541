"""What is said of two benchmarks that differ."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sscd.data.benchmark.changes import changes, refusal

BEFORE: dict[str, Any] = {
    "benchmark_version": 1,
    "seed": 0,
    "training": None,
    "dev_edits": "phase1",
    "test_edits": "my.yaml",
    "air_gap": 0.1,
    "leave_out": [],
    "tables": {"dev": "phase1 0a", "test": "hard ones 0b", "air_gap": "air_gap 0c"},
    "pictures": "43 0d",
    "times of change": "0e",
    "versions": {"pillow": "12.1", "augly": "1.0"},
}
DIGESTS = ("0a", "0b", "0c", "0d", "0e")


def _tables(**tables: str) -> dict[str, Any]:
    return {"tables": {**BEFORE["tables"], **tables}}


CASES: list[tuple[Mapping[str, Any], list[str]]] = [
    ({}, []),
    ({"seed": 1}, ["--seed was 0, is now 1"]),
    ({"training": 9}, ["--training was not given, is now 9"]),
    ({"dev_edits": "configs/edits/phase1.yaml", "test_edits": "./my.yaml"}, []),
    (_tables(dev="phase1 1a"), ["table phase1 changed since"]),
    (_tables(test="hard ones 1b"), ["table hard ones (my.yaml) changed since"]),
    (_tables(air_gap="air_gap 1c"), ["table air_gap changed since"]),
    (
        {"dev_edits": "x/my.yaml", **_tables(dev="mine 1a")},
        ["--dev_edits was phase1, is now mine (x/my.yaml)"],
    ),
    (
        {"leave_out": ["blur", "crop"], **_tables(dev="phase1 1a", test="hard ones 1b")},
        ["--leave_out was not given, is now blur,crop"],
    ),
    (
        {"air_gap": 0.0, "tables": {k: BEFORE["tables"][k] for k in ("dev", "test")}},
        ["--air_gap was 0.1, is now 0.0"],
    ),
    ({"pictures": "44 1d", "times of change": "1e"}, ["the pictures of photos changed since"]),
    ({"times of change": "1e"}, ["the pictures of photos changed since"]),
    (
        {"versions": {"pillow": "13.0", "pilgram": "2.0"}},
        [
            "pillow was 12.1, is now 13.0",
            "pilgram was not installed, is now 2.0",
            "augly was 1.0, is now not installed",
        ],
    ),
    (
        {"benchmark_version": 2, "seed": 1},
        [
            "--seed was 0, is now 1",
            "the way sscd makes benchmarks changed since (version 1, now 2)",
        ],
    ),
]


@pytest.mark.parametrize(("now", "expected"), CASES)
def test_each_difference_is_said_in_the_users_words(
    now: Mapping[str, Any], expected: list[str]
) -> None:
    said = changes(BEFORE, {**BEFORE, **now}, photos=Path("photos"))
    assert said == expected
    assert not any(digest in line for line in said for digest in DIGESTS)


def test_a_file_that_lost_its_sections_differs() -> None:
    assert changes({"tables": 3, "versions": []}, BEFORE, photos=Path("p"))
    assert changes({}, {}, photos=Path("p")) == []


def test_a_refusal_says_what_to_do_in_one_line() -> None:
    error = refusal(Path("out"), ["a", "b"], what="was made otherwise")
    assert str(error) == "out was made otherwise: a, b; give another directory, or remove out"
