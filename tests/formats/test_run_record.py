import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sscd.errors import UserError
from sscd.formats.run_record import (
    ModelRecord,
    RunRecord,
    read_record,
    record_attributes,
    record_path,
    write_record,
)
from sscd.formats.track2.hdf5_file import Track2, read_track2, write_track2

RECORD = RunRecord(
    seconds_a_picture=0.0123,
    pictures=1_050_000,
    hardware="2 × CPU (64 threads)",
    peak_cpu_bytes=7 << 30,
    peak_gpu_bytes=None,
    model=ModelRecord("resnet50", 256, "abc"),
    recipe={"optimizer": {"name": "lars", "lr": 4.8}, "views": [2, 224], "mixup": None},
    preprocessing="288 short_side",
    postprocessing=("PCA whitening to 256, learnt on 1,000,000", "score normalisation"),
    versions={"sscd": "0.1", "torch": "2.9", "python": "3.12"},
    date="2022-06-01T12:00:00+00:00",
)


def save(path: Path, attributes: Any) -> Path:
    rows = np.ones((1, 2), np.float32)
    write_track2(path, Track2(["Q"], rows, ["R"], rows, attributes))
    return path


@pytest.mark.parametrize(
    "record",
    [RECORD, replace(RECORD, peak_gpu_bytes=5, recipe={}), replace(RECORD, seconds_a_picture=None)],
)
def test_round_trips(tmp_path: Path, record: RunRecord) -> None:
    path = save(tmp_path / "track2.h5", record_attributes(record))
    assert read_record(path) == record
    beside = write_record(path, record)
    assert beside == record_path(path) == tmp_path / "track2.h5.json"
    assert read_record(beside) == record
    assert read_track2(path).attributes["pictures"] == 1_050_000


def test_the_attributes_are_readable_with_any_tool(tmp_path: Path) -> None:
    with h5py.File(save(tmp_path / "t.h5", record_attributes(RECORD))) as handle:
        assert handle.attrs["seconds_a_picture"] == 0.0123
        assert handle.attrs["preprocessing"] == "288 short_side"
        assert json.loads(handle.attrs["model"])["backbone"] == "resnet50"
        assert "peak_gpu_bytes" not in handle.attrs


def test_a_long_recipe_fits(tmp_path: Path) -> None:
    long = replace(RECORD, recipe={f"key{i}": "x" * 100 for i in range(5000)})
    assert read_record(save(tmp_path / "t.h5", record_attributes(long))) == long


def test_what_is_not_plain_becomes_text(tmp_path: Path) -> None:
    odd = replace(RECORD, recipe={"path": Path("a/b"), "clip": float("inf"), "pair": (1, 2)})
    got = read_record(write_record(tmp_path / "t.h5", odd))
    assert got.recipe == {"path": "a/b", "clip": "inf", "pair": [1, 2]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("", "cannot read the record"),
        ("[1, 2]", "no record of a run"),
        ("{}", "no record of a run"),
        ('{"model": 3}', "no record of a run"),
        (json.dumps({**asdict(RECORD), "model": {"name": "x"}}), "no record of a run"),
        (json.dumps({**asdict(RECORD), "hardware": None}), "hardware is missing"),
        ("[" * 100_000, "cannot read the record"),
        ("\x00\xff", "cannot read the record"),
    ],
)
def test_broken_json(tmp_path: Path, change: str, words: str) -> None:
    (tmp_path / "t.json").write_text(change)
    with pytest.raises(UserError, match=words) as caught:
        read_record(tmp_path / "t.json")
    assert "t.json" in str(caught.value)


def test_files_without_a_record(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"t\.h5: no record of a run: attribute model"):
        read_record(save(tmp_path / "t.h5", {}))
    with pytest.raises(UserError, match="no such file"):
        read_record(tmp_path / "absent.h5")
    with pytest.raises(UserError, match="cannot read the record"):
        read_record(tmp_path / "absent.json")
