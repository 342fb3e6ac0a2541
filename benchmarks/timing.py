"""How long a call takes."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

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


def by_turns(calls: Sequence[Callable[[], object]], *, rounds: int = 5) -> list[float]:
    """The median seconds of each call, made one after the other in each round.

    What else the machine does then slows all of them alike. One round more is not counted.
    """
    taken: list[list[float]] = [[] for _ in calls]
    for number in range(rounds + 1):
        for call, times in zip(calls, taken, strict=True):
            start = time.perf_counter()
            call()
            if number:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside, as a loader's worker does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
