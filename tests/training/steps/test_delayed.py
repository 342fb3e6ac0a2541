"""Values come late, in order, all of them, and as they were."""

import pytest
import torch

from sscd.training.steps.delayed import GPU_DELAY, DelayedReader


def pushed(reader: DelayedReader, steps: int, device: str = "cpu") -> list[tuple[int, float]]:
    seen: list[tuple[int, float]] = []
    for step in range(steps):
        reader.push(step, {"loss": torch.tensor(step / 4, device=device)})
        seen += [(when, values["loss"]) for when, values in reader.pop()]
    return seen


def test_a_cpu_waits_for_nothing() -> None:
    assert pushed(DelayedReader(), 3) == [(0, 0.0), (1, 0.25), (2, 0.5)]


def test_values_are_so_many_steps_old() -> None:
    reader = DelayedReader(delay=2)
    assert pushed(reader, 5) == [(0, 0.0), (1, 0.25), (2, 0.5)]
    assert [step for step, _ in reader.drain()] == [3, 4]
    assert not list(reader.drain())


def test_values_are_those_of_their_step() -> None:
    reader = DelayedReader(delay=1)
    value = torch.tensor(1.0)
    reader.push(0, {"loss": value, "count": torch.tensor(7)})
    value.add_(1)
    assert list(reader.drain()) == [(0, {"loss": 1.0, "count": 7.0})]


def test_nothing_to_push() -> None:
    reader = DelayedReader()
    reader.push(0, {})
    assert not list(reader.pop())


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(ValueError, match="delay got -1"):
        DelayedReader(delay=-1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_is_read_late_and_never_waited_for() -> None:
    reader = DelayedReader()
    torch.cuda.set_sync_debug_mode("error")
    try:
        seen = pushed(reader, 6, device="cuda")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert seen == [(step, step / 4) for step in range(6 - GPU_DELAY)]
    assert [step for step, _ in reader.drain()] == [4, 5]
