"""What a benchmark depends on, as JSON: options, tables, pictures and versions."""

import hashlib
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sscd import __version__
from sscd.data.benchmark.pool import Pool
from sscd.data.benchmark.request import BenchmarkRequest
from sscd.data.benchmark.tables import Tables, table_digest
from sscd.data.hash_cache import stamp_files
from sscd.data.listing import Listing
from sscd.data.records import ImageSet

# Raise it when the choice of pictures or the files change.
BENCHMARK_VERSION = 1

# Keys of a description beside the options.
VERSION = "benchmark_version"
PICTURES = "pictures"
TIMES = "times of change"

_LIBRARIES = ("augly", "numpy", "opencv-contrib-python-headless", "pilgram", "pillow")


def describe_request(
    request: BenchmarkRequest, tables: Tables, images: ImageSet
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What must be equal for a finished benchmark to be the one that is asked for, and to go on.

    Args:
        request: The options.
        tables: The tables that they name, by the key that plans use.
        images: All pictures of the folder.

    Returns:
        The request (options, digests of tables, and of the pictures' names and sizes); and that
        together with times of change and versions of libraries, which may differ between two
        machines but not between the halves of one benchmark.
    """
    stamps = stamp_files(images)
    sizes = [(stamp.name, stamp.size) for stamp in stamps]
    times = [stamp.mtime_ns for stamp in stamps]
    described = {
        VERSION: BENCHMARK_VERSION,
        **asdict(request),
        "tables": {key: f"{table.name} {table_digest(table)}" for key, table in tables.items()},
        PICTURES: f"{len(stamps)} {_digest(sizes)}",
    }
    return described, {**described, TIMES: _digest(times), "versions": versions()}


def describe_left_out(listing: Listing, pool: Pool, *, used: int) -> dict[str, Any]:
    """How many pictures are not in a benchmark, and why.

    Args:
        listing: The folder.
        pool: What may be used of it.
        used: How many pictures are.
    """
    root = listing.images.root
    return {
        "found": pool.found,
        "near-copies and mirror images": pool.near_copies,
        "too small or of one colour": pool.blank,
        "unreadable": [
            {"path": str(path.relative_to(root)), "reason": reason}
            for path, reason in pool.unreadable
        ],
        "not needed": len(pool.images) - used,
        "no pictures": dict(sorted(listing.other.items())),
    }


def versions() -> dict[str, str]:
    """The versions of this package and of the libraries that draw."""
    return {"sscd": __version__} | {name: _version(name) for name in _LIBRARIES}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _digest(value: object) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=8).hexdigest()
