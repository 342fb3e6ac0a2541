"""Batches on their way: handed out in order, one ahead and no more, and ended early."""

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from sscd.data.loading.prefetch import DevicePrefetcher
from sscd.data.loading.view_batch import ViewBatch
from sscd.errors import UserError

CPU = torch.device("cpu")


def batches(count: int, *, pin: bool = False) -> Iterator[ViewBatch]:
    for number in range(count):
        views = torch.full((2, 2, 3, 4, 4), number, dtype=torch.uint8)
        contents = torch.full((2, 2, 1), number)
        yield ViewBatch(views.pin_memory() if pin else views, contents, unreadable=())


class Counted(Iterator[ViewBatch]):
    """Says how many were asked for, waits until it may give them, and can fail."""

    def __init__(self, count: int, *, fails_at: int | None = None) -> None:
        self.asked = 0
        self.fails_at = fails_at
        self._source = batches(count)

    def __next__(self) -> ViewBatch:
        self.asked += 1
        if self.asked == self.fails_at:
            raise UserError("the disk is gone")
        return next(self._source)


def settled(source: Counted, asked: int) -> bool:
    """Whether exactly so many are asked for, once the thread has come to rest."""
    for _ in range(1000):
        if source.asked >= asked:
            break
        time.sleep(0.005)
    time.sleep(0.05)
    return source.asked == asked


def test_all_are_handed_out_in_order() -> None:
    prefetcher = DevicePrefetcher(batches(7), CPU)
    assert [int(batch.views[0, 0, 0, 0, 0]) for batch in prefetcher] == list(range(7))
    assert next(prefetcher, None) is None


def test_one_is_on_the_device_and_one_is_ready() -> None:
    source = Counted(10)
    prefetcher = DevicePrefetcher(source, CPU)
    assert settled(source, 2)
    next(prefetcher)
    assert settled(source, 3)
    prefetcher.stop()


def test_an_error_comes_after_what_was_before_it() -> None:
    prefetcher = DevicePrefetcher(Counted(10, fails_at=3), CPU)
    assert [int(next(prefetcher).contents[0, 0, 0]) for _ in range(2)] == [0, 1]
    with pytest.raises(UserError, match="the disk is gone"):
        next(prefetcher)
    assert next(prefetcher, None) is None


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_it_can_be_ended_early(taken: int) -> None:
    threads = threading.active_count()
    source = Counted(1000)
    prefetcher = DevicePrefetcher(source, CPU)
    for _ in range(taken):
        next(prefetcher)
    prefetcher.stop()
    assert threading.active_count() == threads
    assert source.asked <= taken + 2
    assert next(prefetcher, None) is None
    prefetcher.stop()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_views_arrive_on_a_gpu_without_the_host_waiting() -> None:
    device = torch.device("cuda", torch.cuda.current_device())
    sums = []
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch in DevicePrefetcher(batches(20, pin=True), device):
            assert batch.views.device == device
            assert batch.contents.device.type == "cpu"
            busy = torch.ones(2048, 2048, device=device)
            for _ in range(20):  # so that a copy that nobody waits for would be seen
                busy = busy @ busy * 1e-4
            sums.append(batch.views.float().mean() + 0 * busy.mean().nan_to_num(0.0, 0.0, 0.0))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.stack(sums).tolist() == list(range(20))
