"""The lines of long work where there is no terminal."""

import pytest

from sscd.terminal import OutputMode, output_mode, tracked, working


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test sets; the streams of a test are no terminal."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with working("describing", total=100, unit="pictures") as work:
        for seconds, done in ((10, 5), (29, 9), (30, 10), (59, 18), (61, 20)):
            clock[0] = 100.0 + seconds
            work.move_to(done)
        clock[0] = 400.0
    assert capsys.readouterr().err.splitlines() == [
        "describing: 10/100 pictures (10%), 20.0 pictures/min, 0:00:30 passed, 0:04:30 left",
        "describing: 20/100 pictures (20%), 19.7 pictures/min, 0:01:01 passed, 0:04:04 left",
        "describing: 20/100 pictures (20%), 4.0 pictures/min, in 0:05:00",
    ]


def test_short_work_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(range(3), "counting")) == [0, 1, 2]
    with working("waiting"):
        clock[0] += 29
    assert capsys.readouterr().err == ""


def test_work_without_an_end_says_how_long_it_took(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with working("joining groups"):
        clock[0] += 3700
    assert capsys.readouterr().err == "joining groups: in 1:01:40\n"


def test_quiet_work_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with output_mode(OutputMode(quiet=True)), working("describing", total=2) as work:
        clock[0] += 3600
        work.advance()
        clock[0] += 3600
        work.advance()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("key", ["RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"])
def test_of_several_ranks_the_first_one_tells(
    clock: list[float],
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for rank in ("1", "0"):
        monkeypatch.setenv(key, rank)
        with working("loading"):
            clock[0] += 31
    assert capsys.readouterr().err == "loading: in 0:00:31\n"


def test_nothing_to_do_is_no_error(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with working("describing", total=0):
        clock[0] += 31
    assert capsys.readouterr().err == "describing: in 0:00:31\n"
