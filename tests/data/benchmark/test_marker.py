"""The files that say which benchmark a directory holds."""

import json
from pathlib import Path

import pytest

from sscd.data.benchmark.marker import read_section, read_sizes
from sscd.errors import UserError

PHASE = {"copies": 7, "distractors": 3}
MADE = {"references": 16, "training": 0, "dev": PHASE, "test": {**PHASE, "copies": 5}}


def test_sizes_are_those_of_the_directories(tmp_path: Path) -> None:
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps({"made": MADE}))
    sizes = {"references": 16, "train": 0, "dev_queries": 10, "test_queries": 8}
    assert read_sizes(path) == sizes


@pytest.mark.parametrize(
    "made", [None, [], {}, {**MADE, "training": None}, {**MADE, "dev": 3}, {**MADE, "test": {}}]
)
def test_a_marker_that_does_not_say_it_is_refused(made: object, tmp_path: Path) -> None:
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps({"made": made}))
    with pytest.raises(UserError, match=r"benchmark\.json is no benchmark's"):
        read_sizes(path)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "benchmark.json"
    path.write_bytes(b"\xff{")
    with pytest.raises(UserError, match=r"benchmark\.json cannot be read"):
        read_section(path, "made")
