"""A folder of pictures to shards, by several processes, going on where it was interrupted."""

import functools
import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sscd.data.hash_cache import Stamp, stamp_files
from sscd.data.parallel import parallel_map
from sscd.data.records import ImageSet
from sscd.data.shards.archive import (
    TAR_BLOCK,
    PackOptions,
    ShardPage,
    ShardTask,
    names_as_jpeg,
    page_path,
    write_shard,
)
from sscd.data.shards.index import INDEX_FILE, MEMBERS_FILE, VERSION, Shard, ShardIndex
from sscd.data.skipped import SkipLog
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError
from sscd.files import atomic_path, check_writable_directory

WORK = ".packing"
"""What is known of a packing that is not finished: the request, and a page a shard."""
SKIPPED_FILE = "skipped.txt"
_REQUEST_FILE = "request.json"


@dataclass(frozen=True)
class Packed:
    """What lies in the output now.

    Attributes:
        pictures: How many pictures.
        shards: In how many archives.
        size: Of the archives, in bytes.
        skipped: The pictures that were left out by this call.
        already: It was there before, and nothing was done.
    """

    pictures: int
    shards: int
    size: int
    skipped: SkipLog
    already: bool = False


def pack_shards(images: ImageSet, out: Path, options: PackOptions, *, workers: int = 1) -> Packed:
    """Write the pictures of a set to shards of an output directory.

    Pictures are dealt to shards by a hash of their names, so that a shard is a random subset. The
    shards do not depend on the number of workers. A call that was interrupted goes on when it is
    repeated; names and sizes of the files, and options, must be the same.

    Args:
        images: The pictures.
        out: An empty or missing directory, or one that the same call has begun or finished.
        options: How they are packed.
        workers: Processes that read and write.

    Raises:
        UserError: `out` holds something else or cannot be written, or no picture can be packed.
    """
    stamps = stamp_files(images)
    request = _request(stamps, options)
    if finished := _claim(out, request):
        return finished
    tasks = _tasks(images, stamps, limit=options.megabytes * 1_000_000)
    pages = out / WORK
    todo = [task for task in tasks if not page_path(pages, task).is_file()]
    pack = functools.partial(write_shard, root=images.root, out=out, pages=pages, options=options)
    for _ in parallel_map(pack, todo, workers=workers, description="packing shards", unit="shards"):
        pass
    done = (ShardPage.read(page_path(pages, task)) for task in tasks)
    return _finish(images, out, done, request)


def _request(stamps: list[Stamp], options: PackOptions) -> dict[str, Any]:
    # Neither the folder's path nor times: a folder that was moved or copied is still the same.
    rows = b"".join(b"%b\0%d\0" % (stamp.name, stamp.size) for stamp in stamps)
    digest = hashlib.blake2b(rows, digest_size=16).hexdigest()
    return {"version": VERSION, "files": digest, **asdict(options)}


def _claim(out: Path, request: dict[str, Any]) -> Packed | None:
    """Find or make the output's own record of the request; the result where it is finished."""
    begun = out / WORK / _REQUEST_FILE
    if (out / INDEX_FILE).is_file():
        index = _finished(out)
        _check_same(out, index.request, request)
        shutil.rmtree(out / WORK, ignore_errors=True)
        return _packed(index, SkipLog(), already=True)
    if begun.is_file():
        _check_same(out, json.loads(begun.read_text(encoding="utf-8")), request)
        for left in out.glob(".*.part"):
            left.unlink()
        return None
    if out.is_dir() and any(entry.name != WORK for entry in out.iterdir()):
        raise UserError(f"{out} holds other files; give a new directory for the shards")
    check_writable_directory(out)
    with atomic_path(begun) as temporary:
        temporary.write_text(json.dumps(request), encoding="utf-8")
    return None


def _finished(out: Path) -> ShardIndex:
    try:
        files = [(out / name).read_bytes() for name in (INDEX_FILE, MEMBERS_FILE)]
    except OSError as error:
        raise UserError(
            f"{error.filename}: {error.strerror}; remove {out} and pack again"
        ) from error
    return ShardIndex.parse(files[0], files[1], location=str(out))


def _check_same(out: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    changed = [key for key in new if old.get(key) != new[key]]
    if changed:
        key = changed[0]
        what = (
            "files of other names or sizes"
            if key == "files"
            else f"{key} {old.get(key)} (now {new[key]})"
        )
        raise UserError(f"{out} holds shards of {what}; remove it or give another directory")


def _tasks(images: ImageSet, stamps: list[Stamp], *, limit: int) -> list[ShardTask]:
    names = images.names.tolist()
    jpeg_names = names_as_jpeg(names)
    order = np.argsort(stable_fractions(names, salt="shards"), kind="stable")
    sizes = np.array([max(stamp.size, 0) + 2 * TAR_BLOCK for stamp in stamps], dtype=np.int64)
    begins = np.cumsum(sizes[order]) - sizes[order]
    parts = np.split(order, np.flatnonzero(np.diff(begins // limit)) + 1)
    return [
        ShardTask(
            file=f"shard-{n:05d}.tar",
            names=tuple(names[i] for i in part.tolist()),
            jpeg_names=tuple(jpeg_names[i] for i in part.tolist()),
        )
        for n, part in enumerate(parts)
    ]


def _finish(
    images: ImageSet, out: Path, pages: Iterable[ShardPage], request: dict[str, Any]
) -> Packed:
    """Write the index, and remove what only an unfinished packing needs."""
    log = SkipLog()
    shards: list[Shard] = []
    rows: list[tuple[int, int, int, int, int]] = []
    position = {name: index for index, name in enumerate(images.names.tolist())}
    for page in pages:
        for path, reason in page.skipped:
            log.add(path, reason)
        for member in page.members:
            place = position[member.name.encode("utf-8", "surrogateescape")]
            rows.append((place, len(shards), member.offset, member.size, member.digest))
        if page.members:
            shards.append(page.shard)
    if not rows:
        shutil.rmtree(out / WORK)  # so that another try may have other options
        named = log.summary(file=None)
        raise UserError(f"{images.root} has no picture to pack, give another folder; {named}")
    places, shard, offset, size, digests = zip(*sorted(rows), strict=True)
    index = ShardIndex(
        shards=tuple(shards),
        images=images.subset(places),
        shard=np.array(shard, dtype=np.int32),
        offset=np.array(offset, dtype=np.int64),
        size=np.array(size, dtype=np.int64),
        digests=np.array(digests, dtype=np.uint64),
        request=request,
    )
    log.write(out / SKIPPED_FILE)
    index.write(out)
    shutil.rmtree(out / WORK)
    return _packed(index, log)


def _packed(index: ShardIndex, log: SkipLog, *, already: bool = False) -> Packed:
    size = sum(shard.size for shard in index.shards)
    return Packed(len(index.images), len(index.shards), size, log, already)
