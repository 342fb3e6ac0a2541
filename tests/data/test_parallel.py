import functools
import os
from pathlib import Path

import pytest

from sscd.data.parallel import parallel_map
from sscd.errors import UserError


def _square(value: int) -> int:
    return value * value


def _fail_on_seven(value: int) -> int:
    if value == 7:
        raise KeyError("seven")
    return value


def _where(_: int) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def _die(_: int) -> None:
    os._exit(3)


def _leave_mark(value: int, *, folder: Path) -> int:
    (folder / str(value)).touch()
    return value


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_results_come_in_order(workers: int, count: int) -> None:
    results = parallel_map(_square, range(count), workers=workers, description="squaring")
    assert list(results) == [value * value for value in range(count)]


def test_workers_are_other_processes_with_one_thread_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    places = set(parallel_map(_where, range(8), workers=2, description="looking"))
    assert os.getpid() not in {process for process, _ in places}
    assert {threads for _, threads in places} == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "5"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_in_the_function_comes_out(workers: int) -> None:
    with pytest.raises(KeyError, match="seven"):
        list(parallel_map(_fail_on_seven, range(20), workers=workers, description="failing"))


def test_a_worker_that_dies_is_said() -> None:
    with pytest.raises(UserError, match="fewer workers"):
        list(parallel_map(_die, range(4), workers=2, description="dying"))


def test_closing_the_results_stops_the_work(tmp_path: Path) -> None:
    mark = functools.partial(_leave_mark, folder=tmp_path)
    results = parallel_map(mark, range(20_000), workers=2, description="marking")
    assert next(results) == 0
    results.close()
    assert len(list(tmp_path.iterdir())) < 5_000


def test_progress_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sscd.terminal.log_lines.EVERY_S", 0.0)
    list(parallel_map(_square, range(3), workers=1, description="squaring", unit="numbers"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "squaring: 3/3 numbers (100%)" in captured.err
    assert "3/3" in captured.err
