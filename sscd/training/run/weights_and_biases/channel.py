"""A way to W&B that neither raises nor makes anybody wait."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from sscd.terminal import warn
from sscd.training.run.weights_and_biases.background import Background
from sscd.training.run.weights_and_biases.client import kill_service, reason, service, shut_down

OPENING_SECONDS = 10.0
"""How long the training waits for W&B at its start, so that its address can be said."""
PATIENCE = 120.0
"""How long other things wait for one that asks the server, in seconds."""
Task = Callable[[Any], None]
Opening = Callable[[Callable[[], bool]], Any]


class Channel:
    """Gives a run in W&B things to do, one after the other, on a thread of its own.

    What fails is left out, counted, and warned of once.

    Args:
        open_run: Begins the run; is given what tells whether the channel is closed by now.
        patience: Seconds for a task that asks the server; others then go on without it.
    """

    def __init__(self, open_run: Opening, *, patience: float = PATIENCE) -> None:
        self.failures = 0
        self._patience = patience
        self._run: Any = None
        self._service: Any = None
        self._stuck: threading.Thread | None = None
        self._deadline = math.inf  # for tasks that ask the server
        self._closed = False
        self._opened = threading.Event()
        self._background = Background("weights-and-biases")
        self._background.submit(lambda: self._open(open_run))

    def wait(self, seconds: float = OPENING_SECONDS) -> None:
        """Wait for the run to be open, or known not to open."""
        self._opened.wait(seconds)

    @property
    def run(self) -> Any:
        """The `wandb.Run`; None while it is not open, or where it could not be opened."""
        return self._run

    def do(self, task: Task, *, asks_server: bool = False) -> None:
        """Have something done with the run, in its turn.

        Args:
            task: What; it may raise.
            asks_server: Online it waits for an answer, as all that makes an artifact does.
        """
        attempt = self._attempt_patiently if asks_server else self._attempt
        self._background.submit(lambda: attempt(task))

    def close(self, *, exit_code: int, seconds: float) -> bool:
        """End the run.

        Args:
            exit_code: What becomes of the process.
            seconds: How long to wait for what is left to do, a third of it for a server.

        Returns:
            Whether all was done, and uploaded unless the run is offline.
        """
        self._deadline = time.monotonic() + seconds / 3
        self.do(lambda run: run.finish(exit_code=exit_code))
        self._background.submit(shut_down)
        done = False
        try:
            done = self._background.close(seconds=seconds)
        finally:  # a second signal raises while it waits
            self._closed = True
            if not done:
                kill_service(self._service or service())
        return done and not self.failures and not self._background.refused

    def _open(self, open_run: Opening) -> None:
        try:
            self._run = open_run(lambda: self._closed)
            self._service = service()
        except Exception as error:  # any: no disk, no client
            self._note(reason(error))
        finally:
            self._opened.set()

    def _attempt(self, task: Task) -> None:
        if self._run is None:
            self.failures += 1
            return
        try:
            task(self._run)
        except Exception as error:  # any: a full disk, a client that was killed
            self._note(reason(error))

    def _attempt_patiently(self, task: Task) -> None:
        """Do a task on a thread that is left alone when it takes too long."""
        if self._stuck is not None and self._stuck.is_alive():
            self.failures += 1
            return
        thread = threading.Thread(target=self._attempt, args=(task,), daemon=True)
        thread.start()
        until = time.monotonic() + self._patience
        while thread.is_alive() and time.monotonic() < min(until, self._deadline):
            thread.join(0.1)
        if thread.is_alive():
            self._stuck = thread
            self._note(
                "no answer from the server; tables and artifacts are left out until there is one"
            )

    def _note(self, problem: str) -> None:
        self.failures += 1
        if self.failures == 1 and not self._closed:
            warn(f"Weights & Biases: {problem}; the training goes on, and metrics.csv has all")
