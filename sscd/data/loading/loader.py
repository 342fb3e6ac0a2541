"""Data loaders whose workers keep to one thread each, and whose errors are for people to read."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from sscd.errors import UserError

SHARED_MEMORY = Path("/dev/shm")


class WorkerLoader(DataLoader[Any]):
    """A `DataLoader` whose `UserError`s arrive as they were raised, without a worker's traceback.

    Args:
        dataset: What to load from.
        collate: A list of its items → a batch.
        workers: Worker processes, which outlive an epoch; 0 loads in this process.
        options: As of `DataLoader`.
    """

    def __init__(
        self, dataset: Any, collate: Callable[..., Any], *, workers: int, **options: Any
    ) -> None:
        super().__init__(
            _Batches(dataset, collate),
            collate_fn=_as_is,
            num_workers=workers,
            worker_init_fn=_one_thread,
            persistent_workers=workers > 0,
            **options,
        )

    def __iter__(self) -> Any:
        with _explained():
            batches = super().__iter__()
        return _told(batches)


def make_loader(
    dataset: Any, collate: Callable[..., Any], *, workers: int, **options: Any
) -> WorkerLoader:
    """A loader with pinned memory where there is a GPU.

    Args:
        dataset: What to load from.
        collate: A list of its items → a batch.
        workers: Worker processes; 0 loads in this process.
        options: Passed on to `DataLoader`.
    """
    return WorkerLoader(
        dataset, collate, workers=workers, pin_memory=torch.cuda.is_available(), **options
    )


def shared_memory_warning(needed: int) -> str:
    """What to say where shared memory cannot hold `needed` bytes of batches; empty where it can."""
    if not SHARED_MEMORY.is_dir():
        return ""
    free = shutil.disk_usage(SHARED_MEMORY).free
    if free >= needed:
        return ""
    return (
        f"{SHARED_MEMORY} has {free / 1e6:.0f} MB free, and the loader's workers may need "
        f"{needed / 1e6:.0f} MB; {_SHARED_MEMORY_ADVICE}"
    )


_SHARED_MEMORY_ADVICE = (
    "give the container more (docker run --shm-size 8g; in Kubernetes an emptyDir of medium Memory "
    f"at {SHARED_MEMORY}), or lower data.workers"
)


@dataclass(frozen=True)
class _Refused:
    """Travels from a worker in place of a batch; torch would wrap an exception in its traceback."""

    message: str


class _Batches(Dataset[Any]):
    """Whole batches of a data set by their keys."""

    def __init__(self, dataset: Any, collate: Callable[..., Any]) -> None:
        self.dataset = dataset
        self.collate = collate

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, keys: Sequence[Any]) -> Any:
        try:
            batch = self.collate([self.dataset[key] for key in keys])
        except UserError as error:
            return _Refused(str(error))
        # Left to the queue's own thread, a failure would be printed there and waited for forever.
        return batch if get_worker_info() is None else _shared(batch)


def _shared(value: Any) -> Any:
    """A batch with its tensors in shared memory."""
    if isinstance(value, Tensor):
        value.share_memory_()  # type: ignore[no-untyped-call]
    if isinstance(value, tuple | list):
        for part in value:
            _shared(part)
    return value


def _told(batches: Iterator[Any]) -> Iterator[Any]:
    with _explained():
        for batch in batches:
            if isinstance(batch, _Refused):
                raise UserError(batch.message)
            yield batch


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if (line := explain_worker_death(error)) is None:
            raise
        raise UserError(line) from error


def explain_worker_death(error: RuntimeError) -> str | None:
    """One line for what ends workers from outside; None where it is an error of the code.

    torch raises it in the main thread, whatever that does at the time.
    """
    text = f"{error} {error.__cause__}"
    if "shared memory" in text and ("No space left" in text or "Bus error" in text):
        return f"{SHARED_MEMORY} is full: workers hand over pictures in it; {_SHARED_MEMORY_ADVICE}"
    if "DataLoader worker (pid" in text and "signal: Terminated" in text:  # as `pkill -f` sends it
        return (
            "a worker of the loader was told to end; send SIGTERM to the training's first process "
            "alone, which then saves: --ckpt_path last goes on from the last checkpoint"
        )
    if "DataLoader worker (pid" in text and ("signal: Killed" in text or "unexpectedly" in text):
        return (
            "a worker of the loader died, as processes do where memory runs out; lower "
            "data.workers, or give the machine more memory"
        )
    return None


def _as_is(batch: Any) -> Any:
    return batch


def _one_thread(worker: int) -> None:  # noqa: ARG001
    # Each worker would otherwise start a pool as large as the machine.
    torch.set_num_threads(1)
    # Signals to the group (Ctrl-C, a batch system's) are the training's, which ends its workers.
    os.setpgrp()
