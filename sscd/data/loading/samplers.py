"""Which pictures a rank sees, in which order, and in which portions."""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

SHARD_WINDOW = 16
"""Shards that are read at the same time, 2 GB at the usual size; each is a random subset itself."""


class EpochSampler(Sampler[tuple[int, int]]):
    """A rank's share of a shuffled epoch, as (epoch, index).

    Every rank shuffles alike, from (seed, epoch), and takes every W-th picture, so that the global
    batches do not depend on W; what does not divide by W is left out of that epoch.

    Args:
        count: How many pictures there are.
        seed: Of the shuffling.
        rank: This process's number.
        ranks: W, how many processes there are.
        shards: (count,) which shard each picture is in; the order then goes through `window`
            shards at a time, in a new order of shards in each epoch.
        window: How many shards are mixed.

    Raises:
        ValueError: `shards` is of another length.
    """

    def __init__(
        self,
        count: int,
        *,
        seed: int,
        rank: int,
        ranks: int,
        shards: NDArray[np.integer] | None = None,
        window: int = SHARD_WINDOW,
    ) -> None:
        if shards is not None and (shards.shape != (count,) or window < 1):
            raise ValueError(
                f"got shards {shards.shape}, window {window}; expected ({count},), 1 or more"
            )
        self.count = count
        self.seed = seed
        self.rank = rank
        self.ranks = ranks
        self.shards = shards
        self.window = window
        self.epoch = 0
        self._start = (0, 0)

    def set_epoch(self, epoch: int) -> None:
        """Shuffle for `epoch` from now on; the trainer calls this before each epoch."""
        self.epoch = epoch

    def start_at(self, epoch: int, pictures: int) -> None:
        """Iterate `epoch` from after this many pictures of this rank; other epochs are whole."""
        self.epoch = epoch
        self._start = (epoch, pictures)

    @property
    def done(self) -> int:
        """How many of this rank's pictures of the epoch in force are left out."""
        return self._start[1] if self._start[0] == self.epoch else 0

    def __len__(self) -> int:
        """How many pictures of a whole epoch are this rank's."""
        return self.count // self.ranks

    def __iter__(self) -> Iterator[tuple[int, int]]:
        share = self._order()[: len(self) * self.ranks][self.rank :: self.ranks]
        return ((self.epoch, int(index)) for index in share[self.done :])

    def _order(self) -> NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, self.epoch))
        if self.shards is None:
            return rng.permutation(self.count)
        place = rng.permutation(int(self.shards.max(initial=-1)) + 1)
        return np.lexsort((rng.random(self.count), place[self.shards] // self.window))


class ShareSampler(Sampler[int]):
    """A rank's share of a set in order: every W-th item, none twice over ranks."""

    def __init__(self, count: int, *, rank: int, ranks: int) -> None:
        self.indices = range(rank, count, ranks)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)


class ChunkSampler(Sampler[list[tuple[int, int]]]):
    """The steps of an epoch in chunks, so that several workers make one step's batch.

    Each step's pictures are split into chunks of nearly equal size, none larger than `chunk`; with
    many workers they are smaller, so that all of them work on the same step. What does not fill
    the last step is left out.

    Args:
        sampler: This rank's share of an epoch.
        batch_size: Pictures of a step of this rank.
        chunk: At most so many pictures in a chunk.
        workers: How many processes make chunks.

    Raises:
        ValueError: `chunk` or `batch_size` is not positive.

    >>> sampler = EpochSampler(10, seed=0, rank=0, ranks=1)
    >>> [len(chunk) for chunk in ChunkSampler(sampler, batch_size=5, chunk=2)]
    [2, 2, 1, 2, 2, 1]
    """

    _SMALLEST = 8  # below, handing chunks over costs more than waiting for one worker

    def __init__(
        self, sampler: EpochSampler, *, batch_size: int, chunk: int, workers: int = 0
    ) -> None:
        if chunk < 1 or batch_size < 1:
            raise ValueError(f"chunk and batch_size got {chunk} and {batch_size}; expected 1 up")
        self.sampler = sampler
        self.batch_size = batch_size
        parts = max(-(-batch_size // chunk), min(workers, batch_size // self._SMALLEST))
        self.sizes = [batch_size * (i + 1) // parts - batch_size * i // parts for i in range(parts)]
        self.sizes.sort(reverse=True)

    @property
    def steps(self) -> int:
        """Steps of a whole epoch."""
        return len(self.sampler) // self.batch_size

    def __len__(self) -> int:
        return self.steps * len(self.sizes)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        keys = iter(self.sampler)
        while len(step := list(itertools.islice(keys, self.batch_size))) == self.batch_size:
            rest = iter(step)
            for size in self.sizes:
                yield list(itertools.islice(rest, size))
