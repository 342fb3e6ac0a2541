"""A number for a name that is the same on every machine, in every run, whatever the other names."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def stable_fractions(names: Iterable[bytes], *, salt: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each name, as good as drawn at random.

    Args:
        names: The names.
        salt: What the number is for; other salts give unrelated numbers.

    Returns:
        (n,) numbers, multiples of 2**-53.
    """
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digests = b"".join(hashlib.blake2b(name, digest_size=8, key=key).digest() for name in names)
    high = np.frombuffer(digests, dtype="<u8") >> np.uint64(11)
    return high.astype(np.float64) * 2.0**-53
