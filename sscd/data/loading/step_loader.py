"""The loader of a training: a step's batch from many workers' chunks, and a place in the epoch."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from sscd.data.loading.loader import WorkerLoader
from sscd.data.loading.prefetch import DevicePrefetcher
from sscd.data.loading.samplers import ChunkSampler, EpochSampler
from sscd.errors import UserError

STEPS_AHEAD = 2
"""Batches that the workers have ready or in work, besides the one that is handed out."""
_LEAST_AHEAD = 2  # chunks of each worker: one in work, one waiting

Join = Callable[[Iterable[Any], int], Any]
"""The chunks of one step, in order, and its number of pictures → the step's batch."""


class StepLoader(WorkerLoader):
    """Batches of steps, which remembers how many of an epoch it has handed out.

    Workers make chunks of a batch, all of them of the same one, and this process joins them: the
    first batch of an epoch takes as long as all workers together need for it, and of a large one
    only about two are held in memory. Neither chunks nor workers change what is in a batch.

    Its state counts batches that the training has been given, not those that are on their way.
    Lightning keeps the state in its checkpoints and hands it back in the middle of an epoch, which
    then goes on with the next batch, on any number of workers and ranks.

    Args:
        dataset: Items by (epoch, index).
        collate: A list of items → a chunk.
        join: The chunks of a step → its batch.
        sampler: This rank's share.
        batch_size: Pictures of a batch of this rank; the last one is dropped where it is not full.
        chunk: At most so many pictures in a chunk.
        workers: Worker processes; 0 loads in this process.
        device: Where the training is: to a GPU the next batch travels while one is computed on.
        options: As of `DataLoader`.

    Attributes:
        waited: Seconds that whoever iterates has waited for batches so far.
    """

    batch_sampler: ChunkSampler

    def __init__(
        self,
        dataset: Any,
        collate: Callable[..., Any],
        join: Join,
        *,
        sampler: EpochSampler,
        batch_size: int,
        chunk: int = 32,
        workers: int = 0,
        device: torch.device | None = None,
        **options: Any,
    ) -> None:
        chunks = ChunkSampler(sampler, batch_size=batch_size, chunk=chunk, workers=workers)
        if workers:
            wanted = -(-STEPS_AHEAD * len(chunks.sizes) // workers)
            options["prefetch_factor"] = max(_LEAST_AHEAD, wanted)
        super().__init__(
            dataset,
            collate,
            workers=workers,
            batch_sampler=chunks,
            generator=torch.Generator(),  # its own, since the global one is the training's
            **options,
        )
        self.waited = 0.0
        self._join = join
        self._device = device or torch.device("cpu")
        self._batches = 0
        self._running: _Running | None = None

    @property
    def epoch_sampler(self) -> EpochSampler:
        """This rank's share of an epoch."""
        return self.batch_sampler.sampler

    @property
    def step_pictures(self) -> int:
        """Pictures of a batch of this rank."""
        return self.batch_sampler.batch_size

    @property
    def pictures_ahead(self) -> int:
        """Pictures that the workers may have ready at most."""
        in_flight = (self.prefetch_factor or 0) * self.num_workers
        return in_flight * max(self.batch_sampler.sizes)

    def __len__(self) -> int:
        """Steps of a whole epoch."""
        return self.batch_sampler.steps

    def __iter__(self) -> Any:
        if self._running is not None:  # persistent workers serve one iteration at a time
            self._running.stop()
        self._batches = self.epoch_sampler.done // self.step_pictures
        chunks = super().__iter__()
        sizes = self.batch_sampler.sizes
        self._running = _Running(chunks, self._join, sizes=sizes, device=self._device)
        return self._count(self._running)

    def _count(self, running: "_Running") -> Iterator[Any]:
        try:
            while True:
                start = time.perf_counter()
                batch = next(running.steps, None)
                self.waited += time.perf_counter() - start
                if batch is None:
                    return
                self._batches += 1
                yield batch
        finally:
            running.stop()

    def state_dict(self) -> dict[str, int]:
        """Where the training stands: the epoch, the batches it was given, and of what."""
        return {"epoch": self.epoch_sampler.epoch, "batches": self._batches, **self._identity()}

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
        if self.epoch_sampler.epoch > state["epoch"]:
            return  # the trainer is past that epoch, which it may have cut short
        self._batches = state["batches"]
        if self._batches < len(self):
            self.epoch_sampler.start_at(state["epoch"], self._batches * self.step_pictures)
        else:
            self._batches = 0
            self.epoch_sampler.start_at(state["epoch"] + 1, 0)

    def _identity(self) -> dict[str, int]:
        sampler = self.epoch_sampler
        return {
            "pictures": sampler.count,
            "seed": sampler.seed,
            "shards": 0 if sampler.shards is None else int(sampler.shards.max(initial=-1)) + 1,
            "shard_window": 0 if sampler.shards is None else sampler.window,
            "global_batch_size": self.step_pictures * sampler.ranks,
        }


class _Running:
    """One iteration: its steps, and how to end them early.

    It knows nothing of the loader: in a cycle, a loader that nobody needs would be collected later,
    maybe in a worker of another, where it would wait for processes that are not the worker's own.
    """

    def __init__(
        self, chunks: Iterator[Any], join: Join, *, sizes: list[int], device: torch.device
    ) -> None:
        self._stopped = threading.Event()
        self.steps = _steps(_until(self._stopped, chunks), join, sizes)
        self._prefetcher: DevicePrefetcher | None = None
        if device.type == "cuda":
            self.steps = self._prefetcher = DevicePrefetcher(self.steps, device)

    def stop(self) -> None:
        """Read no more; from then on another iteration may use the workers."""
        self._stopped.set()
        if self._prefetcher is not None:
            self._prefetcher.stop()


def _steps(chunks: Iterator[Any], join: Join, sizes: list[int]) -> Iterator[Any]:
    for first in chunks:
        others = itertools.islice(chunks, len(sizes) - 1)
        yield join(itertools.chain([first], others), sum(sizes))


def _until(stopped: threading.Event, chunks: Iterator[Any]) -> Iterator[Any]:
    for chunk in chunks:
        if stopped.is_set():
            raise _StoppedEarly
        yield chunk


class _StoppedEarly(Exception):  # noqa: N818 - nobody is told
    """Ends the steps of an iteration that is no longer wanted."""
