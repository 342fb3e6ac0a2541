"""`sscd shard`: a folder of pictures to a few large files."""

from pathlib import Path

from sscd.data.listing import scan_images
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.writer import SKIPPED_FILE, pack_shards
from sscd.errors import UserError
from sscd.terminal import Result, warn


def shard(
    pictures: Path,
    output: Path,
    megabytes: int = 128,
    max_side: int | None = None,
    check: bool = False,
    workers: int = 4,
) -> Result:
    """Pack a folder of pictures to tar shards, for training from large disks or object stores.

    Interrupted, the same command goes on.

    Args:
        pictures: The folder, with all below it.
        output: A new directory for the shards.
        megabytes: Of picture files in a shard.
        max_side: Shrink pictures with a longer side to it, in pixels; others are kept as they are.
        check: Decode every picture, and leave out those that cannot be.
        workers: Processes that read and write.
    """
    if megabytes < 1 or workers < 0 or (max_side is not None and max_side < 16):
        raise UserError(
            f"--megabytes {megabytes} --max_side {max_side} --workers {workers}: give at least "
            "1 megabyte, 16 pixels and 0 workers"
        )
    if output.resolve().is_relative_to(pictures.resolve()):
        raise UserError(f"{output} lies in {pictures}, which it packs; give a directory elsewhere")
    listing = scan_images(pictures, name="training")
    for line in listing.left_out:
        warn(line)
    options = PackOptions(megabytes=megabytes, max_side=max_side, check=check)
    packed = pack_shards(listing.images, output, options, workers=workers)
    if packed.skipped:
        warn(packed.skipped.summary(file=str(output / SKIPPED_FILE)))
    noun = "shard" if packed.shards == 1 else "shards"
    return Result(
        {
            "output": str(output),
            "pictures": packed.pictures,
            "shards": packed.shards,
            "bytes": packed.size,
            "unreadable": len(packed.skipped),
            "finished_before": packed.already,
        },
        [
            f"{output}: {packed.pictures:,} pictures in {packed.shards:,} {noun}, "
            f"{packed.size / 1e6:,.1f} MB" + (", finished before" if packed.already else "")
        ],
    )
