"""Pictures a second from loose files and from shards, in one process, in shuffled order.

`python -m benchmarks.shards DIR` takes the pictures of a folder; without one they are drawn.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sscd.data.decode import load_image
from sscd.data.listing import scan_images
from sscd.data.loading.samplers import EpochSampler
from sscd.data.procedural import draw_picture
from sscd.data.records import ImageSet, Pictures
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.writer import pack_shards

DRAWN, ROUNDS, MEGABYTES = 1000, 3, 16


def run(folder: Path | None = None) -> str:
    """A table: bytes and decoded pictures, from cold and from warm files."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if folder is None:
            folder = scratch / "drawn"
            folder.mkdir()
            for index in range(DRAWN):
                picture = draw_picture(seed=0, index=index, size=160)
                picture.save(folder / f"{index:04d}.jpg", quality=90)
        loose = scan_images(folder, name="loose").images
        pack_shards(loose, scratch / "shards", PackOptions(megabytes=MEGABYTES), workers=1)
        packed = ShardedPictures.open(str(scratch / "shards"), cache=scratch / "cache")
        os.sync()
        count = len(list((scratch / "shards").glob("*.tar")))
        lines = [f"{len(loose):,} pictures in {count} shards, pictures a second: files, shards"]
        for what, read in (("bytes", _bytes), ("decoded", _decoded)):
            for cold in (True, False):
                rates = [_rate(pictures, read, cold=cold) for pictures in (loose, packed)]
                state = "cold" if cold else "warm"
                ratio = rates[1] / rates[0]
                lines.append(f"  {what}, {state}: {rates[0]:8,.0f} {rates[1]:8,.0f} {ratio:5.2f}x")
        return "\n".join(lines)


def _rate(
    pictures: ImageSet | ShardedPictures, read: Callable[[Pictures, int], object], *, cold: bool
) -> float:
    sharded = isinstance(pictures, ShardedPictures)
    sampler = EpochSampler(
        len(pictures),
        seed=0,
        rank=0,
        ranks=1,
        shards=pictures.shards if isinstance(pictures, ShardedPictures) else None,
    )
    taken = []
    for _ in range(ROUNDS):
        if cold:
            _forget(_files(pictures, sharded=sharded))
        start = time.perf_counter()
        for _, index in sampler:
            read(pictures, index)
        taken.append(time.perf_counter() - start)
    return len(pictures) / statistics.median(taken)


def _files(pictures: ImageSet | ShardedPictures, *, sharded: bool) -> Iterable[Path]:
    if sharded:
        return {pictures.path(index).parent for index in range(len(pictures))}
    return [pictures.path(index) for index in range(len(pictures))]


def _forget(files: Iterable[Path]) -> None:
    """Ask the system to drop what it keeps of files in memory."""
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def _bytes(pictures: Pictures, index: int) -> int:
    source = pictures.source(index)
    return len(source if isinstance(source, bytes) else source.read_bytes())


def _decoded(pictures: Pictures, index: int) -> object:
    return load_image(pictures.source(index), draft=224, name="picture").size


if __name__ == "__main__":
    print(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None))  # noqa: T201
