"""Data-parallel training whose processes end together."""

import subprocess
import time

from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

PATIENCE = 10.0
"""Seconds in which processes may end by themselves, and say why."""


class JointStrategy(DDPStrategy):
    """Ends the processes that this one has started where it fails itself.

    Lightning does so after Ctrl-C alone. On GPUs the others would wait in a collective, for as long
    as its time-out, and hold their memory.
    """

    def on_exception(self, exception: BaseException) -> None:
        """Wait for the others a little, then kill those that are still there."""
        super().on_exception(exception)
        if isinstance(self.launcher, _SubprocessScriptLauncher):
            started = [*self.launcher.procs]
            # Lightning's observer shares the list: it would kill this process, before it has said
            # what is wrong, for others that fail as it does.
            self.launcher.procs.clear()
            end_processes(started, patience=PATIENCE)


def end_processes(started: list["subprocess.Popen[bytes]"], *, patience: float) -> None:
    """Wait until processes have ended, and kill those that have not in time.

    Args:
        started: Children of this process.
        patience: Seconds, for all of them together.
    """
    deadline = time.monotonic() + patience
    try:
        for process in started:
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:  # a second signal raises while it waits
        for process in started:
            process.kill()
