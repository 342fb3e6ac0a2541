"""Writing files so that a half-written one is never left under its final name."""

import contextlib
import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sscd.errors import UserError


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary file is synced before the rename, the directory after it: what is there when this
    returns outlasts a loss of power. The temporary file is removed when the block raises; a killed
    process leaves it (`remove_leftovers`).

    Args:
        path: Where the finished file should stand. Missing parent directories are created.

    Raises:
        UserError: The directory cannot be created or written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
    except OSError as error:
        raise UserError(_cannot_write(path, error)) from error
    temporary = Path(name)
    try:
        yield temporary
        _sync(temporary)
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files private; outputs are not
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise UserError(_cannot_write(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def appended_lines(path: Path) -> Iterator[Callable[[str], None]]:
    """Yield a function that adds a line to a file at once: a journal of what is finished.

    A process that dies leaves half a line at most.

    Raises:
        UserError: The file cannot be written, or the disk is full.
    """
    with path.open("ab", buffering=0) as file:

        def add(line: str) -> None:
            data = f"{line}\n".encode()
            try:
                if file.write(data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                reason = error.strerror or str(error)
                raise UserError(
                    f"cannot write {path}: {reason}; make space and run again"
                ) from error

        yield add


def remove_leftovers(path: Path) -> None:
    """Remove temporary files that killed processes left beside `path`.

    Only for a file that no other process is writing.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            left.unlink()


def check_writable_directory(path: Path) -> None:
    """Find out at the start of long work that its output has a place.

    The directory is created where it is missing, and may stay.

    Raises:
        UserError: It cannot be created or written.
    """
    try:
        _try_directory(path)
    except OSError as error:
        raise UserError(_cannot_write(path, error)) from error


def check_output_place(output: Path) -> None:
    """Find out at the start of long work that the file of `--output` has a place.

    Its directory is created where it is missing, and may stay.

    Raises:
        UserError: The directory cannot be created or written.
    """
    try:
        _try_directory(output.parent)
    except OSError as error:
        raise UserError(
            f"cannot write {output}: {_reason(error)}; give --output a file in a directory that "
            "can be written and has space"
        ) from error


def check_space(path: Path, needed: int) -> None:
    """Check that a disk has room for a file, before a library begins that a full disk crashes.

    Args:
        path: The file to come.
        needed: Its size in bytes.

    Raises:
        UserError: There is less room.
    """
    there = next(place for place in path.absolute().parents if place.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise UserError(
            f"cannot write {path}: it takes {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are "
            "free; make space and run again"
        )


def check_not_input(path: Path, inputs: Iterable[Path]) -> None:
    """Check that a file to be written is none of those that are read.

    Raises:
        UserError: It is.
    """
    for read in inputs:
        if read.resolve() == path.resolve():
            raise UserError(f"{path} is an input, and would be replaced; choose another output")


def _try_directory(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        pass


def _cannot_write(path: Path, error: OSError) -> str:
    return (
        f"cannot write {path}: {_reason(error)}; choose a directory that can be written and has "
        "space"
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
