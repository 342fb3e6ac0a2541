import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.evaluation.calibration import (
    Calibration,
    read_calibration,
    write_calibration,
)
from sscd.evaluation.thresholds import operating_points, threshold_for, threshold_table
from tests.evaluation.plain import as_candidates, random_case


def calibration_of(seed: int, *, references: int | None = 100) -> Calibration:
    candidates = as_candidates(*random_case(np.random.default_rng(seed)))
    return Calibration(
        points=operating_points(candidates),
        queries=7,
        references=references,
        origin=Origin("model", "288 short_side", "whitened"),
        metric="l2",
        protocol="10 neighbours a query",
    )


def test_answers_as_the_candidates_do_after_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    for seed in range(50):
        candidates = as_candidates(*random_case(np.random.default_rng(seed)))
        calibration = calibration_of(seed)
        write_calibration(path, calibration)
        again = read_calibration(path)
        assert again == calibration
        assert again.table() == threshold_table(candidates)
        for precision, scale in ((0.5, 1.0), (0.3, 7.5), (0.95, 0.01)):
            expected = threshold_for(candidates, precision=precision, scale=scale)
            assert again.threshold(precision=precision, scale=scale) == expected


def test_scores_keep_every_bit() -> None:
    scores = np.float32(-0.1), float(np.nextafter(-0.3, 0))
    value = calibration_of(0).to_json() | {
        "scores": [float(s) for s in scores],
        "right": [1, 2],
        "wrong": [0, 1],
        "true_pairs": 2,
    }
    again = Calibration.from_json(json.loads(json.dumps(value)), where="x")
    assert again.points.scores == tuple(float(s) for s in scores)


def test_scale_is_the_ratio_of_references() -> None:
    assert calibration_of(0).scale_to(2500) == 25.0
    assert calibration_of(0).scale_to(10) == 0.1
    with pytest.raises(UserError, match="0 references"):
        calibration_of(0).scale_to(0)
    with pytest.raises(UserError, match="do not say how many references"):
        calibration_of(0, references=None).scale_to(10)


def test_unknown_references_and_metric_come_back() -> None:
    value = calibration_of(0).to_json() | {"references": None, "metric": None}
    again = Calibration.from_json(value, where="x")
    assert (again.references, again.metric) == (None, None)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("version", 2, "got 2; this program reads 1"),
        ("version", True, "got true or false; expected an integer"),
        ("protocol", None, "got null; expected text"),
        ("metric", "cosine", "got 'cosine'; expected one of"),
        ("metric", 3, "got an integer; expected text"),
        ("origin", "model", "got text; expected an object"),
        ("origin", {"model": "m", "preprocessing": "p"}, "'postprocessing' is missing"),
        ("queries", 0, "out of range; expected 1"),
        ("queries", 1.5, "got 1.5; expected an integer"),
        ("references", 0, "out of range; expected 1"),
        ("true_pairs", 0, "out of range"),
        ("true_pairs", 10**400, "out of range"),
        ("scores", {}, "got an object; expected a list"),
        ("scores", [math.nan, 1.0], "got nan; expected finite numbers"),
        ("scores", [10**400, 1.0], "got an integer; expected finite numbers"),
        ("scores", [1.0, 1.0], "out of order; expected falling"),
        ("scores", [1.0], "2 values beside 1 scores"),
        ("right", [1, 1], "do not rise to 3 true pairs"),
        ("right", [1, 4], "do not rise to 3 true pairs"),
        ("right", [1, "2"], "got text; expected an integer"),
        ("wrong", [1, 0], "fall; expected rising"),
        ("wrong", [0, -1], "out of range"),
        ("wrong", [0], "1 values beside 2 scores"),
    ],
)
def test_hostile_values_name_the_key(key: str, value: object, words: str) -> None:
    good: dict[str, Any] = calibration_of(0).to_json() | {
        "scores": [2.0, 1.0],
        "right": [1, 2],
        "wrong": [0, 1],
        "true_pairs": 3,
    }
    assert Calibration.from_json(good, where="c.json").points.scores == (2.0, 1.0)
    with pytest.raises(UserError, match=words) as raised:
        Calibration.from_json(good | {key: value}, where="c.json")
    assert str(raised.value).startswith("c.json: key '")
    assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match=f"key '{key}' is missing"):
        Calibration.from_json({k: v for k, v in good.items() if k != key}, where="c.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_files_that_are_not_json(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"c\.json: not JSON"):
        read_calibration(path)


def test_files_that_are_no_calibration(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("[1]")
    with pytest.raises(UserError, match="got a list; expected an object"):
        read_calibration(path)
    with pytest.raises(UserError, match="cannot read calibration"):
        read_calibration(tmp_path / "missing.json")
