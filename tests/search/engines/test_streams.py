import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.search.engines import streams
from sscd.search.engines.streams import Block, Turns, read_ahead, take_turns


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BLOCK", 4)


def rows(count: int) -> NDArray[np.float64]:
    return np.arange(2.0 * count).reshape(count, 2)


@pytest.mark.parametrize("start", [0, 4, 6])
def test_blocks_make_the_whole(start: int) -> None:
    got = list(read_ahead(rows(11), name="rows", start=start))
    assert [first for first, _ in got] == list(range(start, 11, 4))
    assert np.array_equal(np.concatenate([block for _, block in got]), rows(11)[start:])
    assert all(block.dtype == np.float32 and block.flags.c_contiguous for _, block in got)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_names_the_row_that_is_not_finite(bad: float) -> None:
    vectors = rows(11)
    vectors[9, 1] = bad
    blocks = read_ahead(vectors, name="references")
    assert next(blocks)[0] == 0
    with pytest.raises(ValueError, match="row 9 of references"):
        list(blocks)


def test_places_share_the_blocks() -> None:
    taken: list[int] = []

    def work(place: str) -> str:
        for first, _ in turns:
            taken.append(first)
        return place

    turns = Turns(read_ahead(rows(41), name="rows"))
    assert take_turns(work, ["a", "b", "c"], turns) == ["a", "b", "c"]
    assert sorted(taken) == list(range(0, 41, 4))


@pytest.mark.parametrize("places", [[0], [0, 1], [1, 0]])
def test_where_one_place_fails_the_others_stop(places: list[int]) -> None:
    done: list[Block] = []
    failed = threading.Event()

    def work(place: int) -> None:
        if place == 0:
            failed.set()
            raise ArithmeticError("no more")
        for block in turns:
            done.append(block)
            failed.wait()
            time.sleep(0.01)

    turns = Turns(read_ahead(rows(40_000), name="rows"))
    with pytest.raises(ArithmeticError, match="no more"):
        take_turns(work, places, turns)
    assert len(done) < 9000
    assert list(turns) == []
