"""Tasks are done in order, and one that hangs keeps nobody."""

import threading

from sscd.training.run.weights_and_biases.background import Background


def test_in_order_on_another_thread() -> None:
    done: list[tuple[int, str]] = []
    background = Background("worker")
    for number in range(50):
        background.submit(lambda n=number: done.append((n, threading.current_thread().name)))  # type: ignore[misc]
    assert background.close(seconds=30)
    assert done == [(number, "worker") for number in range(50)]


def test_one_that_hangs_is_left_behind_and_what_is_too_much_is_counted() -> None:
    release = threading.Event()
    background = Background("worker", limit=2)
    started = threading.Event()

    def hang() -> None:
        started.set()
        release.wait(60)

    background.submit(hang)
    started.wait(30)
    for _ in range(5):
        background.submit(lambda: None)
    assert background.refused == 3
    assert not background.close(seconds=0.05)
    release.set()
