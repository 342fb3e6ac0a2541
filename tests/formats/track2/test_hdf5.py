import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from sscd.data.parallel import parallel_map
from sscd.errors import UserError
from sscd.formats.track2.hdf5 import Hdf5Rows, not_finite, reading_hdf5
from sscd.vectors import blocks, in_memory

IDS = np.array([b"a", b"b", b"c", b"d", b"e"])
ROWS = np.arange(15, dtype=np.float32).reshape(5, 3)


def lazy(path: Path, data: np.ndarray = ROWS, **settings: object) -> Hdf5Rows:
    with h5py.File(path, "w") as handle:
        handle.create_dataset("query", data=data, **settings)
    return Hdf5Rows(path, "query", data.shape, IDS)


def test_rows_are_read_by_slices(tmp_path: Path) -> None:
    with lazy(tmp_path / "f.h5", ROWS.astype(">f4")) as rows:
        assert (rows.shape, len(rows)) == ((5, 3), 5)
        assert np.array_equal(rows[1:3], ROWS[1:3])
        assert rows[1:3].dtype == np.dtype("float32")
        assert rows[4:2].shape == (0, 3)
        assert np.array_equal(np.asarray(rows), ROWS)
        assert np.array_equal(in_memory(rows), ROWS)
        assert [(start, len(block)) for start, block in blocks(rows, size=2)] == [
            (0, 2),
            (2, 2),
            (4, 1),
        ]
        with pytest.raises(ValueError, match="step of 2"):
            rows[::2]
    assert rows._handle is None
    assert np.array_equal(rows[0:5], ROWS)  # and opens again


def test_values_are_checked_when_they_are_read(tmp_path: Path) -> None:
    data = ROWS.copy()
    data[3, 1] = np.nan
    rows = lazy(tmp_path / "f.h5", data)
    assert np.array_equal(rows[0:3], ROWS[0:3])
    with pytest.raises(
        UserError, match=r"f.h5: query row 3 \(d\) holds a value that is not finite"
    ):
        rows[2:5]
    assert np.isnan(rows.unchecked(3, 4)).any()


def test_large_values_are_not_taken_for_infinite() -> None:
    rows = np.full((4, 300), 1e17, np.float32)
    rows[1, 7], rows[2, :2] = np.nan, (np.inf, -np.inf)
    assert not_finite(rows) == [1, 2]
    rows[3, 0] = 1e19  # whose distances overflow
    assert not_finite(rows) == [1, 2, 3]


def _sum(rows: Hdf5Rows) -> float:
    return float(np.asarray(rows).sum())


def test_other_processes_open_the_file_themselves(tmp_path: Path) -> None:
    rows = lazy(tmp_path / "f.h5")
    assert rows[0:1].shape == (1, 3)
    copy = pickle.loads(pickle.dumps(rows))
    assert copy._handle is None
    assert np.array_equal(copy[0:5], ROWS)
    assert list(parallel_map(_sum, [rows, rows], workers=2, description="x")) == [105.0, 105.0]


def test_a_damaged_block_is_named(tmp_path: Path) -> None:
    data = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    rows = lazy(tmp_path / "f.h5", data, chunks=(1, 3), fletcher32=True)
    content = bytearray((tmp_path / "f.h5").read_bytes())
    place = content.index(data[2].tobytes())
    content[place] ^= 1
    (tmp_path / "f.h5").write_bytes(content)
    assert np.array_equal(rows[0:2], data[0:2])
    with pytest.raises(UserError, match=r"f.h5: not a readable HDF5 file .*: query rows 0 to 4"):
        rows[0:5]


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    rows = lazy(tmp_path / "f.h5")
    (tmp_path / "f.h5").unlink()
    with pytest.raises(UserError, match=r"f.h5: not a readable HDF5 file"):
        rows[0:1]


def test_a_truncated_file_says_how_much_is_there(tmp_path: Path) -> None:
    lazy(tmp_path / "f.h5", np.zeros((5, 300), np.float32))
    content = (tmp_path / "f.h5").read_bytes()
    (tmp_path / "f.h5").write_bytes(content[:5000])
    expected = rf"truncated: 5,000 of {len(content):,} bytes are there\); copy or write it again"
    with pytest.raises(UserError, match=expected), reading_hdf5(tmp_path / "f.h5"):
        pass
