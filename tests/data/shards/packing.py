"""A folder of noise, and shards of it."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sscd.data.listing import scan_images
from sscd.data.shards.archive import PackOptions
from sscd.data.shards.pictures import ShardedPictures
from sscd.data.shards.writer import Packed, pack_shards

COUNT = 20


def write_noise(root: Path) -> None:
    """Twenty pictures of 360 KB, so that a shard of a megabyte holds two."""
    root.mkdir()
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        noise = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"{index:02d}.png", compress_level=0)


def pack(root: Path, out: Path, *, workers: int = 1, **options: Any) -> Packed:
    images = scan_images(root, name="training").images
    return pack_shards(images, out, PackOptions(**{"megabytes": 1, **options}), workers=workers)


def opened(out: Path) -> ShardedPictures:
    return ShardedPictures.open(str(out), cache=out / "no cache")
