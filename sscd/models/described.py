"""Batches of pictures to batches of descriptors, while other processes decode the next ones."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from sscd.data.loading.datasets import InferenceSample
from sscd.data.loading.loader import make_loader
from sscd.data.pictures.groups import PictureGroups, collate_groups
from sscd.models.descriptor import DescriptorNet


@dataclass(frozen=True)
class UnreadablePicture:
    """A picture that could not be described.

    Attributes:
        position: Where it stands in its set.
        path: Where it lies.
        reason: Why, in a few words.
    """

    position: int
    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class DescribedBatch:
    """What became of a batch of pictures.

    Attributes:
        positions: (B,) int64, where each described picture stands in its set.
        vectors: (B, D) float32.
        unreadable: The pictures of the batch that could not be read.
    """

    positions: NDArray[np.int64]
    vectors: NDArray[np.float32]
    unreadable: tuple[UnreadablePicture, ...]

    @property
    def size(self) -> int:
        """How many pictures the batch had."""
        return len(self.positions) + len(self.unreadable)


class DescribingLoader:
    """Describes batches of one set of pictures; may be called again, with the same workers.

    Args:
        network: In evaluation mode, on `device`.
        pictures: The set, resized.
        device: Where the network is.
        workers: Processes that decode; 0 decodes in this process.
        start_method: How they start, as in `multiprocessing`; None for the platform's own.
    """

    def __init__(
        self,
        network: DescriptorNet,
        pictures: Dataset[InferenceSample],
        *,
        device: torch.device,
        workers: int,
        start_method: str | None = None,
    ) -> None:
        self.network = network
        self.device = device
        self.workers = workers
        self._order = _Order()
        self._loader = make_loader(
            pictures,
            collate_groups,
            workers=workers,
            batch_sampler=self._order,
            multiprocessing_context=start_method if workers else None,
        )

    def __call__(self, batches: Iterable[Sequence[int]]) -> Iterator[DescribedBatch]:
        """Describe pictures.

        Args:
            batches: Positions in the set.

        Yields:
            What became of each batch, in order; one is computed while the next is prepared.

        Raises:
            UserError: A source of pictures fails as a whole.
        """
        self._order.begin(batches)
        waiting: tuple[Tensor, PictureGroups] | None = None
        for loaded in self._loader:
            launched = self._launch(loaded)
            if waiting is not None:
                yield self._collect(*waiting)
            waiting = launched, loaded
        if waiting is not None:
            yield self._collect(*waiting)

    def _launch(self, loaded: PictureGroups) -> Tensor:
        """Start the work of a batch; a GPU goes on with it alone."""
        if not loaded.groups:
            return torch.empty(0, self.network.dims)
        with torch.inference_mode():
            groups = (group.to(self.device, non_blocking=True) for group in loaded.groups)
            return torch.cat([self.network(group) for group in groups])

    def _collect(self, described: Tensor, loaded: PictureGroups) -> DescribedBatch:
        asked, read = self._order.given.popleft(), loaded.positions.numpy()
        known = set(read.tolist())
        missing = [position for position in asked if position not in known]
        return DescribedBatch(
            positions=read,
            vectors=described.float().cpu().numpy(),
            unreadable=tuple(
                UnreadablePicture(position, item.path, item.reason)
                for position, item in zip(missing, loaded.unreadable, strict=True)
            ),
        )


class _Order:
    """Batches for a loader, and a record of those that it took and did not give back yet."""

    def __init__(self) -> None:
        self.given: deque[Sequence[int]] = deque()
        self._batches: Iterable[Sequence[int]] = ()

    def begin(self, batches: Iterable[Sequence[int]]) -> None:
        """Let the next pass be these batches."""
        self.given.clear()
        self._batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._batches:
            self.given.append(batch)
            yield list(batch)
