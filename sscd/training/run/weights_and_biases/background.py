"""Work that nobody waits for."""

import queue
import threading
import time
from collections.abc import Callable

Task = Callable[[], None]
LIMIT = 20_000
"""Tasks that may wait: half a day of steps logged every ten, where nothing gets through."""


class Background:
    """A thread that does tasks in the order in which they come.

    It is a daemon: a task that hangs does not keep the process alive.

    Args:
        name: Of the thread.
        limit: Tasks that may wait.
    """

    def __init__(self, name: str, *, limit: int = LIMIT) -> None:
        self.refused = 0
        """Tasks that came when as many as may were waiting."""
        self._tasks: queue.Queue[Task | None] = queue.Queue(limit)
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Add a task, which must not raise; where too many wait, it is refused and counted."""
        try:
            self._tasks.put_nowait(task)
        except queue.Full:
            self.refused += 1

    def close(self, *, seconds: float) -> bool:
        """Take no more tasks.

        Args:
            seconds: How long to wait for those that are there.

        Returns:
            Whether all are done.
        """
        deadline = time.monotonic() + seconds
        try:
            self._tasks.put(None, timeout=seconds)
        except queue.Full:
            return False
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
