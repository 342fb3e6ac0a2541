"""Which pictures a rank sees, and in which order."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class EpochSampler(Sampler[tuple[int, int]]):
    """A rank's share of a shuffled epoch, as (epoch, index).

    Every rank shuffles alike, from (seed, epoch), and takes every W-th picture; what does not
    divide by W is left out of that epoch.
    """

    def __init__(self, count: int, *, seed: int, rank: int, ranks: int) -> None:
        self.count = count
        self.seed = seed
        self.rank = rank
        self.ranks = ranks
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Shuffle for `epoch` from now on; the trainer calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count // self.ranks

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        share = order[: len(self) * self.ranks][self.rank :: self.ranks]
        return ((self.epoch, int(index)) for index in share)


class ShareSampler(Sampler[int]):
    """A rank's share of a set in order: every W-th item, none twice over ranks."""

    def __init__(self, count: int, *, rank: int, ranks: int) -> None:
        self.indices = range(rank, count, ranks)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)
