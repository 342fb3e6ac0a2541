"""The exceptions that are meant for the person at the keyboard."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend.

    The message is one line: which file, key or value is wrong, and what to do. The command line
    prints it without a traceback and exits with status 2.
    """


class NotEnoughError(UserError):
    """A data set is too small for what was asked of it; something else may still be done."""


class Stopped(KeyboardInterrupt):
    """Work that was asked to stop, by a signal, and can go on later.

    Args:
        message: One line: what was kept and how to go on; empty where another process says it.
        status: What the process exits with.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def meant(given: str, known: Iterable[str]) -> str:
    """`; did you mean …?` where something known is like what was given, else nothing.

    >>> meant("trian", ["train", "export"]), meant("xyz", ["train"])
    ('; did you mean train?', '')
    >>> meant("--dims", ["--model.network.dims", "--data.root"])
    '; did you mean --model.network.dims?'
    """
    names = list(known)
    last = given.lstrip("-")
    ends = [name for name in names if name.rpartition(".")[2] == last][:3]
    close = ends or difflib.get_close_matches(given, names, n=1, cutoff=0.7)
    return f"; did you mean {' or '.join(close)}?" if close else ""
