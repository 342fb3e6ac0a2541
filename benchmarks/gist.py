"""GIST of decoded crops of 32×32, many at once, against one after the other in the same run."""

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.plain_gist import plain_gist
from benchmarks.timing import by_turns
from sscd.baselines.gist.descriptor import gist

CROPS, PLAIN_CROPS = 1000, 40


def run() -> str:
    """One line: both rates, their ratio, and how far the values lie apart."""
    crops = _crops()
    few = crops[:PLAIN_CROPS]

    def plain() -> NDArray[np.float64]:
        return np.array([plain_gist(crop) for crop in few])

    fast, slow = by_turns([lambda: gist(crops), plain])
    rates = CROPS / fast, PLAIN_CROPS / slow
    apart = np.abs(gist(few) - plain()).max()
    return (
        f"GIST of decoded crops, {torch.get_num_threads()} threads: {rates[0]:,.0f} images/s, one "
        f"after the other {rates[1]:,.0f}: {rates[0] / rates[1]:.1f}x; at most {apart:.0e} apart"
    )


def _crops() -> NDArray[np.uint8]:
    """Smooth colours with noise over them."""
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (CROPS, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    noise = rng.normal(0, 20, (CROPS, 32, 32, 3))
    return np.clip(colours + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    print(run())  # noqa: T201
