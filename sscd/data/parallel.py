"""Work over many pictures in worker processes, in order, with a progress bar."""

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from sscd.errors import UserError
from sscd.terminal import working

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LARGEST_CHUNK = 16  # Ctrl-C waits for chunks that have begun

T = TypeVar("T")
R = TypeVar("R")


def decoding_workers(asked: int | None) -> int:
    """How many processes decode: what was asked for, or 4, or one for each processor if fewer."""
    return min(4, os.cpu_count() or 1) if asked is None else asked


def parallel_map(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    workers: int,
    description: str,
    unit: str = "pictures",
) -> Generator[R, None, None]:
    """Yield `function(item)` for each item, in order.

    Workers are spawned, not forked, and run one thread each; closing the iterator, an exception or
    Ctrl-C ends them. Work runs ahead of the reader by a few chunks only.

    Args:
        function: A module-level function, or a `functools.partial` of one: it must pickle.
        items: The inputs; each must pickle.
        workers: How many processes; with 0 or 1 everything runs in this one.
        description: What the progress bar says, which goes to standard error.
        unit: What the items are, in the plural.

    Raises:
        UserError: A worker died, for example for want of memory.
        Exception: Whatever `function` raises.
    """
    with working(description, total=len(items), unit=unit) as work:
        results = (
            map(function, items)
            if workers <= 1 or len(items) <= 1
            else _in_processes(function, items, workers=min(workers, len(items)))
        )
        for result in results:
            work.advance()
            yield result


def _in_processes(function: Callable[[T], R], items: Sequence[T], *, workers: int) -> Iterator[R]:
    size = max(1, min(_LARGEST_CHUNK, len(items) // (workers * 8)))
    starts = iter(range(0, len(items), size))
    running: deque[Future[list[R]]] = deque()
    executor = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        with _one_thread_each(), _interrupts_wait():
            for start in starts:
                running.append(executor.submit(_apply, function, items[start : start + size]))
                if len(running) >= 4 * workers:
                    break
        while running:
            yield from running.popleft().result()
            for start in itertools.islice(starts, 1):
                running.append(executor.submit(_apply, function, items[start : start + size]))
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died, perhaps for want of memory; use fewer workers"
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _apply(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [function(item) for item in items]


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back; processes that start inside never see it, not even while they import."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that start inside inherit a limit of one thread (libraries read it once)."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
