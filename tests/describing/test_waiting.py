from pathlib import Path

import numpy as np
import pytest

from sscd.describing.output import Output
from sscd.describing.waiting import wait_for_parts
from sscd.errors import UserError
from tests.describing.sets import output_of, photos


@pytest.fixture
def output(tmp_path: Path) -> Output:
    made = output_of(photos(tmp_path / "photos"), tmp_path / "out", partition=1)
    made.claim()
    return made


def finish(output: Output, number: int) -> None:
    output.write_part(number, [f"{number:02d}"], np.ones((1, 8), dtype=np.float32), [])


def test_it_ends_when_all_parts_are_there(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    left = list(range(10))
    monkeypatch.setattr("sscd.describing.waiting.time.sleep", lambda _: finish(output, left.pop()))
    wait_for_parts(output)
    assert left == []
    wait_for_parts(output)


def test_a_stall_names_the_ranks(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("sscd.describing.waiting.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("sscd.describing.waiting.time.sleep", lambda _: None)
    for number in (0, 1, 3, 4, 6, 7, 9):
        finish(output, number)
    with pytest.raises(
        UserError,
        match=r"no new part for 55 s; 3 of 10 partitions are missing \(2, 5, 8\), of ranks 2 of 3",
    ):
        wait_for_parts(output, world=3, stall_s=55)


def test_each_part_that_comes_gives_new_time(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, left = [0.0], list(range(10))

    def sleep(_: float) -> None:
        now[0] += 50
        finish(output, left.pop())

    monkeypatch.setattr("sscd.describing.waiting.time.monotonic", lambda: now[0])
    monkeypatch.setattr("sscd.describing.waiting.time.sleep", sleep)
    wait_for_parts(output, stall_s=60)
    assert output.missing() == []
