"""Run a Python program in a terminal of its own, and read what it draws there."""

import os
import pty
import re
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


def lines_left(drawn: str) -> list[str]:
    """The lines that stand on the screen in the end, as a terminal without an edge shows them.

    Args:
        drawn: Of `drawn_by`; what moves the cursor is only what rich uses of it.
    """
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", drawn):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.endswith("A") and part.startswith("\x1b"):
            row = max(0, row - int(part[2:-1]))
        elif not part.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]
