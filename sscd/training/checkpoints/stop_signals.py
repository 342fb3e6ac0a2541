"""Signals that ask a training to stop: SIGTERM, SIGUSR1 and SIGUSR2, and Ctrl-C."""

import contextlib
import os
import signal
import threading
import time
from types import FrameType
from typing import Any

from sscd.errors import Stopped
from sscd.terminal import speaks

PREEMPTED = 75
"""The exit status of a training that can go on (`EX_TEMPFAIL`): run it again."""
INTERRUPTED = 130
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT)
GO_ON = "go on with the same command and --ckpt_path last"
GO_ON_IF_ANY = "go on with the same command, and --ckpt_path last if the run has a checkpoint"
AGAIN = 1.0
"""Seconds after which a signal counts as another; launchers often send one twice at once."""


class StopSignals:
    """Keeps in mind that a signal came; a second one of a kind ends the process at once.

    Within the steps of a training (`armed`), a signal only sets `received`. Anywhere else there is
    nothing to save, and it raises. Signals are noticed by a thread of their own: the main one may
    wait in a collective for a rank that is gone, where no Python handler would run.

    A context manager, for the main thread; on another thread signals stay as they are.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self.armed = False
        self.speaks = speaks()
        """Whether this process tells the person; the first rank does."""
        self.last_resort: list[int] = []
        """Processes that are killed when this one ends at once."""
        self._first: dict[int, float] = {}
        self._before: dict[signal.Signals, Any] = {}
        self._pipe: tuple[int, int] | None = None
        self._wakeup_before = -1

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is not threading.main_thread():
            return self
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self._pipe = reading, writing
        self._wakeup_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        os.register_at_fork(after_in_child=self._forget)
        threading.Thread(target=self._watch, args=(reading,), daemon=True, name="signals").start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._pipe is None:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._pipe[1])  # ends the thread
        self._pipe = None

    @property
    def status(self) -> int:
        """What the process exits with after the signal that came."""
        return INTERRUPTED if self.received is signal.SIGINT else PREEMPTED

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number)
        if not self.armed:
            raise Stopped(self.explain(GO_ON_IF_ANY) if self.speaks else "", status=self.status)

    def disarm(self) -> None:
        """Nothing is to be saved any more: signals raise again.

        Raises:
            Stopped: One came after the last step.
        """
        self.armed = False
        if self.received is not None:
            raise Stopped(self.explain(GO_ON) if self.speaks else "", status=self.status)

    def explain(self, advice: str) -> str:
        """One line for the person: why it ended, and what now."""
        if self.received is None:
            return f"stopped, since another rank was asked to; {advice}"
        if self.received is signal.SIGINT:
            return f"interrupted; {advice}"
        return f"stopped by {self.received.name}; {advice}"

    def _watch(self, reading: int) -> None:
        while byte := os.read(reading, 1):
            if byte[0] in SIGNALS:
                self._notice(signal.Signals(byte[0]))
        os.close(reading)

    def _notice(self, number: signal.Signals) -> None:
        now = time.monotonic()
        again = number in self._first and now - self._first[number] > AGAIN
        first = not self._first
        self._first.setdefault(number, now)
        if not self.armed:
            return
        if again:
            self._say(f"{number.name} again: stopped at once; the last checkpoint stays")
            for process in self.last_resort:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            os._exit(128 + number)  # as a shell tells of a process that the signal ended
        self.received = self.received or number
        if first:
            self._say(f"{number.name}: stops after this step; again to stop at once")

    def _say(self, message: str) -> None:
        if self.speaks:
            os.write(2, f"sscd: {message}\n".encode())

    def _forget(self) -> None:
        """In a forked worker: the training decides when it ends, whoever gets the signal."""
        if self._pipe is None:
            return
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            # By SIGTERM its parent ends it.
            heard = number is signal.SIGTERM
            signal.signal(number, signal.SIG_DFL if heard else signal.SIG_IGN)
