"""One training at a time writes a run directory, and one that failed at its start leaves none."""

import contextlib
import errno
import fcntl
import os
import socket
from pathlib import Path

from sscd.errors import UserError
from sscd.files import remove_leftovers
from sscd.terminal import warn
from sscd.training.run.run_directory import RunDirectory


class RunClaim:
    """This process's hold of a run directory, for as long as it lives.

    The lock is the operating system's: it ends with the process, however that ends, and is not
    shared with the loader's workers, which may outlive it by seconds.

    A context manager; at its end, a directory that this launch made and that nothing was trained in
    is removed.
    """

    def __init__(self) -> None:
        self._run: RunDirectory | None = None
        self._lock: int | None = None

    def __enter__(self) -> "RunClaim":
        return self

    def __exit__(self, *_: object) -> None:
        if self._run is None:
            return
        with contextlib.suppress(OSError):
            self._run.lock.unlink()
        if self._lock is not None:
            os.close(self._lock)
        if self._run.made:
            _remove_if_untrained(self._run)

    @property
    def run(self) -> RunDirectory | None:
        """What is held; None before anything is."""
        return self._run

    def take(self, run: RunDirectory) -> None:
        """Claim a directory, and remove what a killed training left half-written there.

        Raises:
            UserError: Another training that is alive writes there.
        """
        self._lock = _lock(run)
        self._run = run
        for file in run.written:
            remove_leftovers(file)


def _lock(run: RunDirectory) -> int | None:
    while True:
        try:
            handle = os.open(run.lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UserError(f"cannot write {run.lock}: {error.strerror}") from error
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(handle, 200).decode(errors="replace").strip()
            os.close(handle)
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise UserError(
                    f"another training writes {run.path} ({owner or 'just started'}); "
                    "wait for it, end it, or give another --run_dir"
                ) from error
            warn(f"cannot lock {run.lock} ({error.strerror}); see that no other training uses it")
            return None
        if _is_still(run.lock, handle):
            break
        os.close(handle)  # its last owner removed it in between
    os.ftruncate(handle, 0)
    os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
    return handle


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _remove_if_untrained(run: RunDirectory) -> None:
    with contextlib.suppress(OSError):
        if set(run.path.iterdir()) - {run.checkpoints, run.config}:
            return
        if run.checkpoints.is_dir():
            run.checkpoints.rmdir()  # fails where there are any
        run.config.unlink(missing_ok=True)
        for directory in run.made:
            directory.rmdir()  # stops at the first that others use, too
