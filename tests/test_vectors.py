from pathlib import Path

import h5py
import numpy as np
import pytest

from sscd import vectors
from sscd.vectors import Stacked, Vectors, blocks, in_memory, take_rows


def parts(folder: Path) -> list[Vectors]:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((n, 3)).astype(np.float32) for n in (4, 1, 0, 6)]
    mapped = np.memmap(folder / "a.bin", np.float32, "w+", shape=(4, 3))
    mapped[:] = arrays[0]
    file = h5py.File(folder / "b.h5", "w")
    return [mapped, file.create_dataset("v", data=arrays[1]), *arrays[2:]]


def test_stacked_reads_as_one_array(tmp_path: Path) -> None:
    sources = parts(tmp_path)
    whole = np.concatenate([np.asarray(part[0 : len(part)]) for part in sources])
    stacked = Stacked(sources)
    assert stacked.shape == whole.shape == (11, 3)
    for start in range(12):
        for stop in range(start, 13):
            assert np.array_equal(stacked[start:stop], whole[start:stop])
    assert np.array_equal(stacked[:-2], whole[:-2])
    assert np.array_equal(np.asarray(stacked), whole)
    with pytest.raises(ValueError, match="step of 2"):
        stacked[::2]


def test_parts_of_two_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="widths"):
        Stacked([np.zeros((1, 2)), np.zeros((1, 3))])
    with pytest.raises(ValueError, match="widths"):
        Stacked([])


def test_blocks_cover_all_rows_once(tmp_path: Path) -> None:
    stacked = Stacked(parts(tmp_path))
    got = list(blocks(stacked, size=4))
    assert [start for start, _ in got] == [0, 4, 8]
    assert np.array_equal(np.concatenate([rows for _, rows in got]), in_memory(stacked))
    assert all(rows.dtype == np.float32 and rows.flags.c_contiguous for _, rows in got)


def test_what_lies_in_memory_is_not_copied() -> None:
    array = np.zeros((3, 2), np.float32)
    assert np.shares_memory(in_memory(array), array)


def test_rows_are_taken_block_by_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stacked = Stacked(parts(tmp_path))
    whole = in_memory(stacked)
    monkeypatch.setattr(vectors, "BLOCK", 3)
    rng = np.random.default_rng(1)
    for shape in ((7,), (4, 2), (0,), (1, 1, 5)):
        rows = rng.integers(len(whole), size=shape)
        assert np.array_equal(take_rows(stacked, rows), whole[rows])
