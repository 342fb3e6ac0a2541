"""One process at a time writes a benchmark."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from sscd.errors import UserError

_LOCK = "lock"


@contextlib.contextmanager
def locked(work: Path, *, keep: Path) -> Iterator[None]:
    """Hold a benchmark's directory for this process; a process that dies lets go of it.

    Args:
        work: The directory, within the benchmark's, of what is needed to go on; it is made.
        keep: A file; where it is missing in the end, `work` is removed.

    Raises:
        UserError: Another process writes there, or `work` cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(work / _LOCK, blocking=False)
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UserError(f"another make-disc is writing {work.parent}; wait for it") from error
    except OSError as error:
        raise UserError(
            f"cannot write {work}: {error.strerror or error}; "
            "choose a directory that can be written and has space"
        ) from error
    try:
        yield
    finally:
        if not keep.exists():  # before the lock is given up: another process may make its own next
            shutil.rmtree(work, ignore_errors=True)
        lock.release()
