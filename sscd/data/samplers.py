"""Which pictures a rank sees, in which order, and how far it has come."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Sampler

from sscd.errors import UserError

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


class ResumableLoader(DataLoader[Any]):
    """A loader that remembers which batches of an epoch were handed out.

    Its state counts batches that the training has been given, not those that workers have ready.
    Lightning keeps the state in its checkpoints and hands it back in the middle of an epoch, which
    then goes on with the next batch, on any number of workers and ranks.

    Args:
        dataset: Items by (epoch, index).
        sampler: This rank's share.
        batch_size: Pictures of a batch of this rank.
        options: As of `DataLoader`; the last batch of an epoch is dropped where it is not full.
    """

    sampler: EpochSampler
    batch_size: int

    def __init__(
        self, dataset: Any, *, sampler: EpochSampler, batch_size: int, **options: Any
    ) -> None:
        options["drop_last"] = True
        super().__init__(dataset, sampler=sampler, batch_size=batch_size, **options)
        self._batches = 0

    def __iter__(self) -> Any:
        self._batches = self.sampler.done // self.batch_size
        return self._count(super().__iter__())

    def _count(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            self._batches += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where the training stands: the epoch, the batches it was given, and of what."""
        return {"epoch": self.sampler.epoch, "batches": self._batches, **self._identity()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next iteration go on where another loader was.

        Raises:
            UserError: That loader had other pictures, another seed or another batch size.
        """
        for key, here in self._identity().items():
            if state.get(key) != here:
                raise UserError(
                    f"the checkpoint stopped amid an epoch with {key.replace('_', ' ')} "
                    f"{state.get(key)}, here it is {here}; resume with the same data and "
                    "batch size, or from a checkpoint of a full epoch"
                )
        if self.sampler.epoch > state["epoch"]:
            return  # the trainer is past that epoch, which it may have cut short
        self._batches = state["batches"]
        if self._batches < len(self):
            self.sampler.start_at(state["epoch"], self._batches * self.batch_size)
        else:
            self._batches = 0
            self.sampler.start_at(state["epoch"] + 1, 0)

    def _identity(self) -> dict[str, int]:
        sampler = self.sampler
        return {
            "pictures": sampler.count,
            "seed": sampler.seed,
            "shards": 0 if sampler.shards is None else int(sampler.shards.max(initial=-1)) + 1,
            "shard_window": 0 if sampler.shards is None else sampler.window,
            "global_batch_size": self.batch_size * sampler.ranks,
        }
