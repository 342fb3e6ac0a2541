"""Data loaders whose workers keep to one thread each."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader


def make_loader(
    dataset: Any,
    collate: Callable[..., Any],
    *,
    workers: int,
    kind: type[DataLoader[Any]] = DataLoader,
    **options: Any,
) -> DataLoader[Any]:
    """A loader with pinned memory where there is a GPU and workers that outlive an epoch.

    Args:
        dataset: What to load from.
        collate: A list of its items → a batch.
        workers: Worker processes; 0 loads in this process.
        kind: The loader's class.
        options: Passed on to it.
    """
    return kind(
        dataset,
        collate_fn=collate,
        num_workers=workers,
        worker_init_fn=_one_thread,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
        **options,
    )


def _one_thread(worker: int) -> None:  # noqa: ARG001
    # Each worker would otherwise start a pool as large as the machine.
    torch.set_num_threads(1)
