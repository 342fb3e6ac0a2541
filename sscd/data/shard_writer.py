"""A folder of pictures to shards, by several processes, going on where it was interrupted."""

import functools
import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sscd.data.decode import UnreadableImage, load_image, open_image
from sscd.data.hash_cache import Stamp, stamp_files
from sscd.data.parallel import parallel_map
from sscd.data.records import ImageSet
from sscd.data.shard_index import INDEX_FILE, MEMBERS_FILE, Shard, ShardIndex
from sscd.data.skipped import SkipLog
from sscd.data.stable_hash import stable_fractions
from sscd.errors import UserError
from sscd.files import atomic_path, check_writable_directory

WORK = ".packing"
"""What is known of a packing that is not finished: the request, and a page a shard."""
SKIPPED_FILE = "skipped.txt"
_REQUEST_FILE = "request.json"
_BLOCK = 512  # of tar


@dataclass(frozen=True)
class PackOptions:
    """How pictures are packed.

    Attributes:
        megabytes: Of picture files in a shard, in 10⁶ bytes, before any is shrunk.
        max_side: Pictures with a longer side are shrunk to it, in pixels, and stored as JPEG of
            quality 95 (4:4:4); None keeps all files as they are.
        check: Decode every picture, and leave out those that cannot be.
    """

    megabytes: int = 128
    max_side: int | None = None
    check: bool = False


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


@dataclass(frozen=True)
class _Task:
    file: str
    names: tuple[bytes, ...]


def pack_shards(images: ImageSet, out: Path, options: PackOptions, *, workers: int = 1) -> Packed:
    """Write the pictures of a set to shards of an output directory.

    Pictures are dealt to shards by a hash of their names, so that a shard is a random subset. The
    shards do not depend on the number of workers. A call that was interrupted goes on when it is
    repeated; files and options must be the same.

    Args:
        images: The pictures.
        out: An empty or missing directory, or one that the same call has begun or finished.
        options: How they are packed.
        workers: Processes that read and write.

    Raises:
        UserError: `out` holds something else or cannot be written, or no picture can be packed.
    """
    stamps = stamp_files(images)
    request = _request(images, stamps, options)
    if finished := _claim(out, request):
        return finished
    tasks = _tasks(images, stamps, limit=options.megabytes * 1_000_000)
    todo = [task for task in tasks if not _page(out, task).is_file()]
    pack = functools.partial(_pack, root=images.root, out=out, options=options)
    for _ in parallel_map(pack, todo, workers=workers, description="packing shards"):
        pass
    return _finish(images, out, [_page(out, task) for task in tasks], request)


def _request(images: ImageSet, stamps: list[Stamp], options: PackOptions) -> dict[str, Any]:
    rows = b"".join(b"%b\0%d\0%d\0" % (s.name, s.size, s.mtime_ns) for s in stamps)
    digest = hashlib.blake2b(rows, digest_size=16).hexdigest()
    return {"folder": str(images.root.resolve()), "files": digest, **asdict(options)}


def _claim(out: Path, request: dict[str, Any]) -> Packed | None:
    """Find or make the output's own record of the request; the result where it is finished."""
    done, begun = out / INDEX_FILE, out / WORK / _REQUEST_FILE
    if done.is_file():
        files = [path.read_bytes() for path in (done, out / MEMBERS_FILE)]
        index = ShardIndex.parse(files[0], files[1], location=str(out))
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


def _check_same(out: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    changed = [key for key in new if old.get(key) != new[key]]
    if changed:
        key = changed[0]
        what = (
            f"the files of {new['folder']} as they were then"
            if key == "files"
            else f"{key} {old.get(key)} (now {new[key]})"
        )
        raise UserError(f"{out} holds shards of {what}; remove it or give another directory")


def _tasks(images: ImageSet, stamps: list[Stamp], *, limit: int) -> list[_Task]:
    names = images.names.tolist()
    order = np.argsort(stable_fractions(names, salt="shards"), kind="stable")
    sizes = np.array([max(stamp.size, 0) + 2 * _BLOCK for stamp in stamps], dtype=np.int64)[order]
    number = (np.cumsum(sizes) - sizes) // limit
    parts = np.split(order, np.flatnonzero(np.diff(number)) + 1)
    return [
        _Task(file=f"shard-{n:05d}.tar", names=tuple(names[i] for i in part.tolist()))
        for n, part in enumerate(parts)
    ]


def _page(out: Path, task: _Task) -> Path:
    return out / WORK / f"{task.file}.json"


def _pack(task: _Task, *, root: Path, out: Path, options: PackOptions) -> None:
    """Write one shard, then the page that says what is in it."""
    members: list[tuple[str, int, int]] = []
    skipped: list[tuple[str, str]] = []
    path = out / task.file
    with atomic_path(path) as temporary:
        with tarfile.open(
            temporary, "w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for raw in task.names:
                name = raw.decode("utf-8", "surrogateescape")
                try:
                    stored, data = _encode(name, root / name, options)
                except UnreadableImage as error:
                    skipped.append((str(error.path), error.reason))
                    continue
                info = tarfile.TarInfo(stored)
                info.size = len(data)  # no time, no owner: equal pictures make equal shards
                tar.addfile(info, io.BytesIO(data))
                padded = -(-len(data) // _BLOCK) * _BLOCK
                members.append((name, tar.offset - padded, len(data)))
        size = temporary.stat().st_size
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not members:
        path.unlink()
    shard = Shard(name=task.file, pictures=len(members), size=size, sha256=digest)
    with atomic_path(_page(out, task)) as temporary:
        page = {"shard": asdict(shard), "members": members, "skipped": skipped}
        temporary.write_text(json.dumps(page), encoding="utf-8")


def _encode(name: str, path: Path, options: PackOptions) -> tuple[str, bytes]:
    """The name and the bytes that a picture is stored with."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(path, error.strerror or str(error)) from error
    if not data:
        raise UnreadableImage(path, "empty file")
    side = options.max_side
    if side is not None:
        with open_image(data, name=str(path)) as encoded:
            if max(encoded.size) > side:
                picture = encoded.load(reduce=max(1, max(encoded.size) // side))
                picture.thumbnail((side, side), Image.Resampling.LANCZOS)
                buffer = io.BytesIO()
                picture.save(buffer, format="JPEG", quality=95, subsampling=0)
                is_jpeg = path.suffix.lower() in (".jpg", ".jpeg")
                return name if is_jpeg else f"{name}.jpg", buffer.getvalue()
    if options.check:
        load_image(data, name=str(path))
    return name, data


def _finish(images: ImageSet, out: Path, pages: list[Path], request: dict[str, Any]) -> Packed:
    """Write the index, and remove what only an unfinished packing needs."""
    log = SkipLog()
    shards: list[Shard] = []
    rows: list[tuple[bytes, int, int, int]] = []
    for path in pages:
        page = json.loads(path.read_text(encoding="utf-8"))
        for name, reason in page["skipped"]:
            log.add(name, reason)
        for name, offset, size in page["members"]:
            rows.append((name.encode("utf-8", "surrogateescape"), len(shards), offset, size))
        if page["members"]:
            shards.append(Shard(**page["shard"]))
    if not rows:
        raise UserError(f"{images.root} has no picture to pack; {log.summary(file='no file')}")
    position = {name: index for index, name in enumerate(images.names.tolist())}
    rows.sort(key=lambda row: position[row[0]])
    index = ShardIndex(
        shards=tuple(shards),
        images=images.subset([position[row[0]] for row in rows]),
        shard=np.array([row[1] for row in rows], dtype=np.int32),
        offset=np.array([row[2] for row in rows], dtype=np.int64),
        size=np.array([row[3] for row in rows], dtype=np.int64),
        request=request,
    )
    log.write(out / SKIPPED_FILE)
    index.write(out)
    shutil.rmtree(out / WORK)
    return _packed(index, log)


def _packed(index: ShardIndex, log: SkipLog, *, already: bool = False) -> Packed:
    size = sum(shard.size for shard in index.shards)
    return Packed(len(index.images), len(index.shards), size, log, already)
