"""One random stream a view, the same on any number of workers, ranks and machines.

A view's generator is seeded by a hash of what the view *is* (seed, epoch, picture, number), never
by where or when it is made.
"""

import hashlib

import numpy as np


def view_rng(*, seed: int, epoch: int, image_id: str, view: int) -> np.random.Generator:
    """Return the generator from which one view of one picture draws all its randomness.

    Args:
        seed: The run's seed.
        epoch: The epoch, so that views change from one to the next.
        image_id: The picture's id, unique in its set.
        view: The number of the view among those of the picture in this epoch.

    Returns:
        A PCG64 generator. Equal arguments give equal streams; different ones, independent streams.

    >>> a = view_rng(seed=0, epoch=3, image_id="T000017", view=1)
    >>> b = view_rng(seed=0, epoch=3, image_id="T000017", view=1)
    >>> bool(a.random() == b.random())
    True
    """
    name = f"{seed}/{epoch}/{view}/{image_id}"  # the id comes last: it alone may hold a slash
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
