"""Whether shards hold pictures that a training is validated on, told by the files' contents."""

import contextlib

import numpy as np

from sscd.data.records import ImageSet
from sscd.data.shards.index import content_digest
from sscd.data.shards.pictures import ShardedPictures
from sscd.errors import UserError

_LOOKED_AT = 1000
"""Of each set: who packs the wrong folder packs all of it, and reading a million takes hours."""
_FEW = 0.01


def without_leaks(
    pictures: ShardedPictures, *validated: ImageSet
) -> tuple[ShardedPictures, tuple[str, ...]]:
    """Look whether files that are validated on were packed, by `content_digest`.

    At most 1,000 files of each set are looked at, evenly spread; those that cannot be read are
    passed over. Names do not matter, nor does whether the shards hold smaller pictures. A few are
    left out (large collections hold some pictures twice); more mean that the wrong folder was
    packed.

    Args:
        pictures: The training pictures.
        validated: References and queries.

    Returns:
        The training pictures without those that were found, and a line that counts them, if any.

    Raises:
        UserError: Over 1 % of the files that were looked at were packed.
    """
    names, digests = [], []
    for images in validated:
        count = min(len(images), _LOOKED_AT)
        for index in np.arange(count) * len(images) // max(count, 1):
            path = images.path(int(index))
            with contextlib.suppress(OSError):
                digests.append(content_digest(path.read_bytes()))
                names.append(f"{images.root.name}/{path.relative_to(images.root)}")
    looked_at = np.array(digests, dtype=np.uint64)
    packed = np.isin(looked_at, pictures.digests)
    if not packed.any():
        return pictures, ()
    first, count = names[int(packed.argmax())], int(packed.sum())
    found = f"{first}{', …' if count > 1 else ''}: {count:,} of {len(names):,} looked at"
    if count > _FEW * len(names):
        raise UserError(
            f"data.shards {pictures.location} holds pictures that are validated on ({found}); "
            "pack the training pictures alone"
        )
    clean = ~np.isin(pictures.digests, looked_at)
    line = f"{int((~clean).sum()):,} pictures of {pictures.location} are validated on ({found})"
    return pictures.subset(np.flatnonzero(clean)), (line,)
