"""Files behind URLs of any file system that fsspec knows, and behind plain paths."""

import posixpath
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sscd.errors import UserError

_ATTEMPTS = 3

T = TypeVar("T")


class Unreachable(Exception):  # noqa: N818 - it is expected, counted and carried on from
    """A file that cannot be had; the message says why, and does not name it."""


def is_url(place: str) -> bool:
    """Whether a place is a URL, not a path."""
    return "://" in place


def local_path(place: str) -> Path | None:
    """The path of a place on this machine's file systems; None for other URLs."""
    if place.startswith("file://"):
        return Path(place.removeprefix("file://"))
    return None if is_url(place) else Path(place)


def join(base: str, entry: str) -> str:
    """A place, relative to a directory or URL unless it is whole by itself.

    >>> join("s3://bucket/photos", "a.jpg"), join("/photos", "/b.jpg")
    ('s3://bucket/photos/a.jpg', '/b.jpg')
    """
    if is_url(entry) or entry.startswith("/") or not base:
        return entry
    return f"{base.rstrip('/')}/{entry}"


def readable(path: Path) -> str:
    """A place that was made to a path, which folds the slashes of a URL, as it was.

    >>> readable(Path("s3://bucket/a.jpg"))
    's3://bucket/a.jpg'
    """
    text = str(path)
    scheme, separator, rest = text.partition(":/")
    folded = bool(separator) and scheme.isalnum() and len(scheme) > 1 and not rest.startswith("/")
    return f"{scheme}://{rest}" if folded else text


def file_system(url: str) -> tuple[Any, str]:
    """What reads a URL, and how the URL is called there.

    Raises:
        UserError: fsspec lacks what reads this kind of URL.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UserError(
            f"{url} cannot be reached ({' '.join(str(error).split())}); "
            "s3:// needs sscd[shards], other kinds the package that fsspec names"
        ) from error
    return system, str(path)


def openable(place: str) -> Any:
    """What Arrow can open: a path, or an open file behind a URL.

    Raises:
        OSError: It cannot be opened.
        UserError: fsspec lacks what reads this kind of URL.
    """
    path = local_path(place)
    if path is not None:
        return str(path)
    system, remote = file_system(place)
    return system.open(remote, "rb")


def read_url(url: str, *, first: int | None = None) -> bytes:
    """The content of a file; what passes is tried again.

    Args:
        url: Where it lies.
        first: How many bytes from its beginning; None for all.

    Raises:
        Unreachable: It is missing, or cannot be had.
        UserError: fsspec lacks what reads this kind of URL.
    """
    system, path = file_system(url)
    options = {} if first is None else {"start": 0, "end": first}
    data = retried(lambda: system.cat_file(path, **options))
    return bytes(data)


def is_file(url: str) -> bool:
    """Whether there is a file.

    Raises:
        Unreachable: That cannot be found out.
        UserError: fsspec lacks what reads this kind of URL.
    """
    system, path = file_system(url)
    return bool(retried(lambda: system.isfile(path)))


def find_files(url: str) -> list[str]:
    """The files under a URL, by their sorted paths relative to it.

    Raises:
        Unreachable: They cannot be listed.
        UserError: fsspec lacks what reads this kind of URL.
    """
    system, path = file_system(url)
    found = retried(lambda: system.find(path))
    return sorted(posixpath.relpath(str(name), path) for name in found)


def retried(attempt: Callable[[], T]) -> T:
    """The result of an attempt; of three where it fails for a reason that may pass.

    Raises:
        Unreachable: It fails for good.
    """
    for number in range(_ATTEMPTS):
        try:
            return attempt()
        except FileNotFoundError as error:
            raise Unreachable("no such file") from error
        except Exception as error:  # each file system has its own exceptions
            if number == _ATTEMPTS - 1:
                reason = " ".join(str(error).split())[:120] or type(error).__name__
                raise Unreachable(reason) from error
            time.sleep(2.0**number)
    raise AssertionError("unreachable: the last attempt returns or raises")
