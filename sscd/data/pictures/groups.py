"""Batches of pictures in groups of one size, in an order that spares the sources of pictures."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sscd.data.loading.datasets import Unreadable, collate_pictures


class PictureGroups(NamedTuple):
    """Pictures to be described, stacked by size in the worker that decoded them.

    Attributes:
        groups: Tensors (n, 3, H, W) uint8 RGB, each of another size.
        positions: (B,) int64, where each picture of the groups, one after the other, stands in its
            set.
        unreadable: What could not be read, and is in no group, in the order of the batch.
    """

    groups: tuple[Tensor, ...]
    positions: Tensor
    unreadable: tuple[Unreadable, ...]


def collate_groups(samples: list[Any]) -> PictureGroups:
    """Gather the items of `InferencePictures` to groups; pictures of a group keep their order."""
    batch = collate_pictures(samples)
    places: dict[tuple[int, ...], list[int]] = {}
    for place, picture in enumerate(batch.pictures):
        places.setdefault(tuple(picture.shape), []).append(place)
    order = [place for group in places.values() for place in group]
    return PictureGroups(
        groups=tuple(
            torch.stack([batch.pictures[place] for place in group]) for group in places.values()
        ),
        positions=batch.positions[order],
        unreadable=batch.unreadable,
    )


def dealt_batches(positions: range, *, size: int, workers: int) -> Iterator[Sequence[int]]:
    """Cut neighbouring pictures to batches, so that each worker reads a run of neighbours.

    A loader gives the t-th batch to worker t mod W. Pictures lie in large files beside their
    neighbours, and a worker that skips through such a file reads all of it.

    Args:
        positions: Pictures, one after the other.
        size: Pictures in a batch; the last one may have fewer.
        workers: How many processes read; 0 where there is none.

    >>> [list(batch) for batch in dealt_batches(range(8), size=2, workers=2)]
    [[0, 1], [4, 5], [2, 3], [6, 7]]
    """
    batches = [positions[start : start + size] for start in range(0, len(positions), size)]
    count = max(workers, 1)
    rounds, longer = divmod(len(batches), count)
    starts = [worker * rounds + min(worker, longer) for worker in range(count)]
    for turn in range(len(batches)):
        yield batches[starts[turn % count] + turn // count]
