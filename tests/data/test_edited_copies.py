"""One edited copy of one file."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sscd.augment.edits.table import load_table
from sscd.data.decode import UnreadableImage, load_image
from sscd.data.edited_copies import plain_json, read_within, recorded_edits, write_copy


@pytest.fixture
def source(tmp_path: Path) -> Path:
    values = np.random.default_rng(1).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(values).resize((200, 150), Image.Resampling.BICUBIC).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_reading_shrinks_and_never_enlarges(source: Path) -> None:
    assert read_within(source, 100).size == (100, 75)
    assert read_within(source, 1000).size == (200, 150)


def test_a_copy_is_shrunk_only_where_asked(source: Path, tmp_path: Path) -> None:
    table, target = load_table("validation"), tmp_path / "copy.jpg"
    sizes = []
    for write_side in (None, 60):
        rng = np.random.default_rng(4)
        edited = write_copy(
            source, target, table=table, rng=rng, read_side=100, write_side=write_side
        )
        with Image.open(target) as image:
            assert image.size == edited.image.size
            assert image.format == "JPEG"
        sizes.append(max(edited.image.size))
        difference = np.asarray(load_image(target), int) - np.asarray(edited.image, int)
        assert np.abs(difference).mean() < 4
    assert sizes[0] > 60 == sizes[1]


def test_records_are_plain_json(source: Path, tmp_path: Path) -> None:
    for seed in range(20):
        edited = write_copy(
            source,
            tmp_path / "copy.jpg",
            table=load_table("validation"),
            rng=np.random.default_rng(seed),
            read_side=64,
        )
        rows = json.loads(json.dumps(recorded_edits(edited), default=plain_json))
        assert [row["name"] for row in rows] == [edit.name for edit in edited.operations]


def test_numbers_of_numpy_become_plain_ones() -> None:
    values = {"a": np.int64(3), "b": np.float32(0.5), "c": np.array([1, 2])}
    assert json.loads(json.dumps(values, default=plain_json)) == {"a": 3, "b": 0.5, "c": [1, 2]}
    with pytest.raises(TypeError, match="got complex"):
        plain_json(1j)


def test_a_broken_source_is_named(source: Path, tmp_path: Path) -> None:
    source.write_bytes(b"")
    with pytest.raises(UnreadableImage, match=r"a\.png: empty file"):
        read_within(source, 10)
