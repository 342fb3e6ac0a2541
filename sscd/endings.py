"""How a command ends: with an exit status, and an error as one line."""

import codecs
import contextlib
import errno
import io
import os
import select
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from sscd.errors import Stopped, UserError
from sscd.extras import missing_extra

USAGE_ERROR = 2
INTERRUPTED = 130
READER_GONE = 141
"""As a shell tells of a program that SIGPIPE ended."""

_DEGRADED = str.maketrans(
    {"μ": "u", "×": "x", "·": "-", "…": "...", "–": "-", "—": "-", "−": "-", "→": "->", "≥": ">="}
    | {"τ": "tau", "λ": "lambda", "é": "e", "β": "beta"}
)


def run_to_end(command: Callable[[], int]) -> int:
    """Run a command to its end, whatever it is, and return the exit status.

    Args:
        command: Returns a status, or raises.

    Raises:
        SystemExit: The command raised it, as parsers do after their help.
        Exception: It has a bug.
    """
    _print_anything()
    plain, warnings.formatwarning = warnings.formatwarning, _one_line_warning  # type: ignore[assignment]
    try:
        try:
            status = command()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # while what goes wrong can still be said
        return status
    except SystemExit:
        raise
    except BaseException as error:
        _leave_terminal_sane()
        if (ended := _explain(error)) is None:
            raise
        return ended
    finally:
        warnings.formatwarning = plain


def _explain(error: BaseException) -> int | None:
    """Say what happened in one line; the status, or None where it is a bug."""
    if isinstance(error, UserError):
        return _complain(_innermost(str(error)))
    if isinstance(error, KeyboardInterrupt):
        return _interrupted(error)
    if isinstance(error, ModuleNotFoundError):
        # A worker's error arrives as text, without the name.
        named = error.name or str(error).rpartition("No module named '")[2].partition("'")[0]
        line = missing_extra(named)
        return None if line is None else _complain(line)
    return _explain_system(error) if isinstance(error, OSError) else None


def _explain_system(error: OSError) -> int | None:
    if error.filename is not None:
        # Files vanish, disks fill and permissions lack anywhere; what has no file name is a bug.
        return _complain(
            f"{error.filename}: {error.strerror}; check that it is there and may be used"
        )
    broken = [stream for stream in (sys.stdout, sys.stderr) if _reader_is_gone(stream)]
    if isinstance(error, BrokenPipeError) and broken:
        for stream in broken:
            _write_nowhere(stream)
        return READER_GONE
    if error.errno in (errno.ENOSPC, errno.EIO):
        _write_nowhere(sys.stdout)  # or a file without a name of its own, as one that is open
        return _complain(f"cannot write: {error.strerror}; make space for files and output")
    return None


def _interrupted(interrupt: KeyboardInterrupt) -> int:
    if not isinstance(interrupt, Stopped):
        _complain("; ".join(["interrupted", *map(str, interrupt.args)]))
        return INTERRUPTED
    if str(interrupt):
        _complain(str(interrupt))
    return interrupt.status


def _innermost(message: str) -> str:
    """The message itself, where a loader's worker has wrapped it into its traceback."""
    return message.rpartition("UserError: ")[2] if "Original Traceback" in message else message


def _complain(message: str) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"sscd: error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return USAGE_ERROR


def _leave_terminal_sane() -> None:
    # A generator that was interrupted still holds its bar; what was never imported shows none.
    terminal = sys.modules.get("sscd.terminal")
    if terminal is not None:
        terminal.stop_bars()


def _reader_is_gone(stream: TextIO | None) -> bool:
    """Whether a stream is a pipe that nobody reads; other pipes of ours can break, too."""
    if stream is None:
        return False
    with contextlib.suppress(OSError, ValueError):  # no file behind it
        looked = select.poll()
        looked.register(stream.fileno(), select.POLLOUT)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in looked.poll(0))
    return False


def _write_nowhere(stream: TextIO | None) -> None:
    """Drop what a stream still holds, so that nothing is said of it at the very end."""
    if stream is not None:
        with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def _print_anything() -> None:
    """Let streams write what their encoding lacks in other signs, not fail at it."""
    codecs.register_error("degrade", _degrade)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="degrade")


def _degrade(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(_DEGRADED)
    # Bytes of a file name that are no text (PEP 383) go out as they came in.
    if all("\udc80" <= sign <= "\udcff" for sign in lacking):
        return lacking.encode("utf-8", "surrogateescape"), error.end
    return lacking.encode("ascii", "backslashreplace").decode("ascii"), error.end


def _one_line_warning(message: Warning | str, category: type[Warning], *_: object) -> str:
    """What a library or we warn of, as `sscd.terminal.warn` says it."""
    named = "" if category is UserWarning else f" ({category.__name__})"
    return f"warning: {' '.join(str(message).split())}{named}\n"
