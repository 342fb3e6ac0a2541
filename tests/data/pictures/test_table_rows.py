import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from sscd.data.pictures.table_rows import RowCursor


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A hundred rows, in groups of 40."""
    column = pa.array([b"%d" % row for row in range(100)], pa.binary())
    parquet.write_table(pa.table({"image": column}), tmp_path / "x.parquet", row_group_size=40)
    return tmp_path / "x.parquet"


ORDERS: list[Callable[[], Any]] = [
    lambda: range(100),
    lambda: range(99, -1, -1),
    lambda: [0, 0, 39, 40, 79, 80, 99, 99, 5],
    lambda: np.random.default_rng(0).permutation(100).tolist(),
]


@pytest.mark.parametrize("order", ORDERS)
def test_any_order(file: Path, order: Callable[[], Any]) -> None:
    cursor = RowCursor(str(file), "image")
    assert [cursor[row] for row in order()] == [b"%d" % row for row in order()]


def test_rising_rows_are_read_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow.parquet import ParquetFile

    begun = []
    original = ParquetFile.iter_batches

    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        begun.append(options["row_groups"])
        return original(self, *arguments, **options)

    monkeypatch.setattr(ParquetFile, "iter_batches", counted)
    cursor = RowCursor(str(file), "image")
    for row in (3, 3, 20, 39, 45, 70, 99):
        cursor[row]
    assert begun == [[0], [1], [2]]


def test_it_can_be_sent_and_forked(file: Path) -> None:
    cursor = RowCursor(str(file), "image")
    assert cursor[17] == b"17"
    assert pickle.loads(pickle.dumps(cursor))[18] == b"18"
    child = os.fork()
    if child == 0:
        os._exit(0 if cursor[3] == b"3" and cursor[17] == b"17" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cursor[18] == b"18"


def test_damage_is_raised_and_does_not_stay(file: Path) -> None:
    cursor = RowCursor(str(file), "image")
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    with pytest.raises(Exception, match=r"(?i)parquet"):
        cursor[0]
    file.write_bytes(whole)
    assert cursor[0] == b"0"


def test_a_file_behind_a_url(file: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe_file("/rows/x.parquet", file.read_bytes())
    assert RowCursor("memory://rows/x.parquet", "image")[77] == b"77"
