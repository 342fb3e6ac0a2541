"""Signals to a real process: noted within steps, raised elsewhere, at once the second time."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from sscd.errors import Stopped
from sscd.training.checkpoints.stop_signals import StopSignals

# The main thread never comes to the end of its step, as one that waits for a lost rank.
STUCK = """
import ctypes, sys
from sscd.training.checkpoints.stop_signals import StopSignals

class Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]

with StopSignals() as signals:
    signals.armed = True
    print("armed", flush=True)
    left = Time(60, 0)
    while ctypes.CDLL(None).nanosleep(ctypes.byref(left), ctypes.byref(left)):
        pass
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_outside_of_steps_a_signal_raises(number: signal.Signals, status: int) -> None:
    with StopSignals() as signals, pytest.raises(Stopped) as stopped:
        signal.raise_signal(number)
    assert stopped.value.status == signals.status == status
    assert "go on with the same command" in str(stopped.value)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT])
def test_within_a_step_a_signal_is_noted(number: signal.Signals) -> None:
    with StopSignals() as signals:
        signals.armed = True
        signal.raise_signal(number)
        assert signals.received is number
        signal.raise_signal(number)  # at once: a launcher's copy, not a second wish


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_other_threads_leave_signals_alone() -> None:
    seen: list[StopSignals] = []

    def work() -> None:
        with StopSignals() as signals:
            seen.append(signals)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen[0].received is None


def test_a_forked_worker_does_not_take_the_signal_for_the_training() -> None:
    with StopSignals() as signals:
        signals.armed = True
        worker = os.fork()
        if worker == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGUSR1)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 7
        assert signals.received is None


def test_the_second_signal_ends_a_process_that_hangs() -> None:
    command = [sys.executable, "-c", STUCK]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as stuck:
        assert stuck.stdout is not None
        assert stuck.stderr is not None
        assert stuck.stdout.readline() == "armed\n"
        stuck.send_signal(signal.SIGTERM)
        assert "stops after this step" in stuck.stderr.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            stuck.wait(1.2)
        stuck.send_signal(signal.SIGTERM)
        assert "again: stopped at once" in stuck.stderr.readline()
        assert stuck.wait(10) == 128 + signal.SIGTERM


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_the_first_rank_speaks(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for key in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(key, raising=False)
    assert StopSignals().speaks
    monkeypatch.setenv(name, "1")
    assert not StopSignals().speaks


def test_a_signal_after_the_last_step_is_told_when_all_is_tidy() -> None:
    with StopSignals() as signals:
        signals.armed = True
        signals.disarm()
        signals.armed = True
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped, match="stopped by SIGTERM") as stopped:
            signals.disarm()
    assert stopped.value.status == 75


def test_a_rank_that_got_no_signal_blames_nobody() -> None:
    assert StopSignals().explain("x") == "stopped, since another rank was asked to; x"
