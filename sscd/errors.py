"""The exceptions that are meant for the person at the keyboard."""


class UserError(Exception):
    """Something the user can mend.

    The message is one line: which file, key or value is wrong, and what to do. The command line
    prints it without a traceback and exits with status 2.
    """


class Stopped(KeyboardInterrupt):
    """Work that was asked to stop, by a signal, and can go on later.

    Args:
        message: One line: what was kept and how to go on; empty where another process says it.
        status: What the process exits with.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
