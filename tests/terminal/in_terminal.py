"""Run a Python program in a terminal of its own, and read what it draws there."""

import os
import pty
import sys
from collections.abc import Mapping
from pathlib import Path


def drawn_by(
    program: str, *, environ: Mapping[str, str] | None = None, out: Path | None = None
) -> tuple[str, int]:
    """What a program writes to its terminal, and its exit status.

    Args:
        program: Python code.
        environ: Added to the environment.
        out: Where its standard output goes in place of the terminal.
    """
    settings = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": str(Path.cwd())}
    process, terminal = pty.fork()
    if process == 0:
        if out is not None:
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT), 1)
        arguments = [sys.executable, "-c", program]
        os.execve(sys.executable, arguments, settings | dict(environ or {}))
    drawn = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not piece:
            break
        drawn += piece
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    return drawn.decode("utf-8", errors="replace"), os.waitstatus_to_exitcode(status)
