from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.formats.track2.sorted_rows import sorted_blocks


class Watched:
    """Rows that count how many of them are read, at once and in all."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self.rows = rows
        self.shape = rows.shape
        self.most = self.total = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice, /) -> Any:
        read = self.rows[rows]
        self.most, self.total = max(self.most, len(read)), self.total + len(read)
        return read


def table(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((count, 4)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100])
@pytest.mark.parametrize("kind", ["none", "random", "reversed", "two runs"])
def test_rows_come_in_the_order(count: int, kind: str) -> None:
    rows = table(count)
    order = {
        "none": None,
        "random": np.random.default_rng(count).permutation(count),
        "reversed": np.arange(count)[::-1],
        "two runs": np.roll(np.arange(count), count // 2),
    }[kind]
    for source in (rows, Watched(rows)):
        got, next_row = [], 0
        for start, block in sorted_blocks(source, order, size=8, gathered=24):
            assert start == next_row
            next_row += len(block)
            assert block.dtype == np.float32
            got.append(block)
        expected = rows if order is None else rows[order]
        assert np.array_equal(np.concatenate(got), expected)
        if isinstance(source, Watched):
            assert source.most <= 8


def test_runs_are_read_once_and_disorder_once_a_block() -> None:
    runs = Watched(table(240))
    list(sorted_blocks(runs, np.roll(np.arange(240), 96), size=8, gathered=24))
    assert runs.total == 240
    disorder = Watched(table(240))
    order = np.random.default_rng(0).permutation(240)
    list(sorted_blocks(disorder, order, size=8, gathered=24))
    assert disorder.total <= 240 * 10
