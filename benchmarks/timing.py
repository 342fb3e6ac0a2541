"""How long a call takes."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator

import torch


def seconds(call: Callable[[], object], *, repeats: int = 5) -> float:
    """The median of several calls, after one that is not counted."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside, as a loader's worker does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
