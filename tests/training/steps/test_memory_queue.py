"""The cross-batch memory against a python list."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from sscd.losses.entropy import entropy_loss
from sscd.losses.info_nce import info_nce
from sscd.losses.instance import InfoNCE
from sscd.losses.relations import NO_PICTURE, Relations
from sscd.losses.rows import Remembered, Rows
from sscd.models.descriptor import NetworkConfig
from sscd.training.module import CopyDetector
from sscd.training.steps.memory_queue import MemoryConfig, MemoryQueue, fit_memory, keys_of
from sscd.training.steps.objective import compute_objective

DIMS = 4


def step_rows(seed: int, rows: int, *, contents: int = 1, first: int = 0) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    z = functional.normalize(torch.randn(rows, DIMS, generator=generator), dim=1)
    shown = torch.full((rows, contents), NO_PICTURE)
    shown[:, 0] = first + torch.arange(rows) // 2
    if contents == 2:
        shown[1, 1] = first + 3
    return Rows(z, shown)


def kept(memory: MemoryQueue) -> list[tuple[list[float], set[int]]]:
    """The filled rows and what they show, sorted."""
    found = memory.remembered()
    pairs = zip(
        found.rows.descriptors[found.filled], found.rows.contents[found.filled], strict=True
    )
    return sorted((z.tolist(), set(shown.tolist()) - {NO_PICTURE}) for z, shown in pairs)


@pytest.mark.parametrize("size", [1, 5, 6, 7, 12, 40])
def test_holds_the_last_rows(size: int) -> None:
    memory = MemoryQueue(MemoryConfig(size), dims=DIMS)
    history: list[tuple[list[float], set[int]]] = []
    assert kept(memory) == []
    for seed, count in enumerate((6, 6, 2, 7, 6)):
        step = step_rows(seed, count, contents=1 + seed % 2, first=10 * seed)
        memory.enqueue(step)
        for z, shown in zip(step.descriptors, step.contents, strict=True):
            history.append((z.tolist(), set(shown.tolist()) - {NO_PICTURE}))
        assert kept(memory) == sorted(history[-size:])


def naive_loss(step: Rows, history: list[Rows], *, entropy: bool) -> Tensor:
    """InfoNCE + 2·entropy of one process, over a list of old rows that share nothing."""
    old = torch.cat([r.descriptors for r in history] or [step.descriptors[:0]])
    shown = [set(row.tolist()) - {NO_PICTURE} for row in step.contents]
    before = [set(row.tolist()) - {NO_PICTURE} for r in history for row in r.contents]
    count = len(shown)
    positive = torch.zeros(count, count + len(before), dtype=torch.bool)
    negative = torch.zeros_like(positive)
    for i, own in enumerate(shown):
        for j, other in enumerate([*shown, *before]):
            positive[i, j] = j < count and i != j and bool(own & other)
            negative[i, j] = not own & other
    everything = torch.cat([step.descriptors, old])
    similarity = step.descriptors @ everything.T
    contrast, valid = info_nce(similarity, Relations(positive, negative), temperature=0.2)
    near = len(everything) if entropy else count
    spread, _ = entropy_loss(
        step.descriptors,
        everything,
        similarity[:, :near],
        Relations(positive[:, :near], negative[:, :near]),
    )
    return contrast.sum() / valid.sum() + 2.0 * spread.mean()


@pytest.mark.parametrize("entropy", [False, True])
def test_the_objective_takes_old_rows_as_negatives(entropy: bool) -> None:
    memory = MemoryQueue(MemoryConfig(14, entropy=entropy), dims=DIMS)
    history: list[Rows] = []
    for seed in range(5):
        # Pictures come again in the next step, and are no negatives of themselves.
        step = step_rows(seed, 6, contents=1 + seed % 2, first=2 * seed)
        gradients = []
        for naive in (False, True):
            z = step.descriptors.clone().requires_grad_()
            rows = Rows(z, step.contents)
            if naive:
                # 14 rows: the last two steps, and two rows of the one before them.
                last = [Rows(r.descriptors[-n:], r.contents[-n:]) for r, n in tail(history)]
                loss = naive_loss(rows, last, entropy=entropy)
            else:
                loss = compute_objective(
                    z,
                    step.contents,
                    loss=InfoNCE(0.2),
                    entropy_weight=2.0,
                    memory=memory.remembered(),
                    block=4,
                ).loss
            gradients.append((loss.detach(), torch.autograd.grad(loss, z)[0]))
        torch.testing.assert_close(gradients[0], gradients[1])
        memory.enqueue(step)
        history.append(step)


def tail(history: list[Rows]) -> list[tuple[Rows, int]]:
    return list(zip(history[::-1][:3], (6, 6, 2), strict=False))


def test_statistics_are_of_the_step_alone() -> None:
    step, old = step_rows(0, 6), step_rows(1, 5, first=20)
    memory = Remembered(old, torch.ones(5).bool(), entropy=True)
    plain, widened = (
        compute_objective(
            step.descriptors, step.contents, loss=InfoNCE(0.2), entropy_weight=2.0, memory=m
        )
        for m in (None, memory)
    )
    assert widened.instance > plain.instance
    assert widened.entropy > plain.entropy
    for name in (
        *("positive_similarity", "negative_similarity"),
        *("nearest_negative_similarity", "effective_rank"),
    ):
        assert float(getattr(widened, name)) == float(getattr(plain, name)), name
    assert torch.equal(widened.rows.descriptors, step.descriptors)


def test_an_empty_memory_changes_nothing() -> None:
    step = step_rows(0, 6)
    memory = MemoryQueue(MemoryConfig(9, entropy=True), dims=DIMS).remembered()
    plain, widened = (
        compute_objective(
            step.descriptors, step.contents, loss=InfoNCE(0.2), entropy_weight=2.0, memory=m
        )
        for m in (None, memory)
    )
    torch.testing.assert_close(widened.loss, plain.loss)


def test_a_checkpoint_keeps_it() -> None:
    memory = MemoryQueue(MemoryConfig(8), dims=DIMS)
    memory.enqueue(step_rows(0, 6))
    file = io.BytesIO()
    torch.save({"state_dict": memory.state_dict(prefix="memory.")}, file)
    file.seek(0)
    state: dict[str, Any] = torch.load(file, weights_only=True)["state_dict"]
    again = MemoryQueue(MemoryConfig(8), dims=DIMS)
    fit_memory(state, again, prefix="memory.")
    again.load_state_dict({k.removeprefix("memory."): v for k, v in state.items()})
    for one in (memory, again):
        one.enqueue(step_rows(1, 6, contents=2))
    assert all(torch.equal(a, b) for a, b in zip(memory.buffers(), again.buffers(), strict=True))


def test_a_memory_of_another_size_starts_empty() -> None:
    memory = MemoryQueue(MemoryConfig(8), dims=DIMS)
    memory.enqueue(step_rows(0, 6))
    for now in (MemoryQueue(MemoryConfig(9), dims=DIMS), None):
        state = {"network.w": torch.ones(1), **memory.state_dict(prefix="memory.")}
        fit_memory(state, now, prefix="memory.")
        assert list(state) == ["network.w", *keys_of(now, prefix="memory.")]
        if now is not None:
            assert int(state["memory.count"]) == 0
    fresh: dict[str, Any] = {"network.w": torch.ones(1)}
    fit_memory(fresh, memory, prefix="memory.")
    assert int(fresh["memory.count"]) == 6
    assert fresh["memory.rows"] is not memory.rows


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": -1}, "memory.size got -1"),
        ({"size": 4, "delay": 1.5}, "memory.delay got 1.5"),
        ({"size": 4, "delay": float("nan")}, "memory.delay got nan"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MemoryConfig(**values)


def test_wrong_rows() -> None:
    with pytest.raises(ValueError, match="expected at least 1 row"):
        MemoryQueue(MemoryConfig(), dims=DIMS)
    memory = MemoryQueue(MemoryConfig(4), dims=DIMS)
    with pytest.raises(ValueError, match="contents got 3 pictures"):
        memory.enqueue(Rows(torch.zeros(2, DIMS), torch.zeros(2, 3, dtype=torch.int64)))


def test_it_is_used_after_its_delay() -> None:
    config = MemoryConfig(4, delay=0.25)
    assert [config.used_at(p) for p in (0.0, 0.24, 0.25, 1.0)] == [False, False, True, True]
    assert not MemoryConfig().used_at(1.0)


def test_data_parallel_training_does_not_send_it(tmp_path: Path) -> None:
    detector = CopyDetector(NetworkConfig(backbone="resnet18", dims=DIMS), memory=MemoryConfig(6))
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1
    )
    try:
        parallel = DistributedDataParallel(detector)
    finally:
        distributed.destroy_process_group()
    assert detector.memory is not None
    sent = {id(buffer) for buffer in parallel.modules_buffers}
    assert sent
    assert not sent & {id(buffer) for buffer in detector.memory.buffers()}
    own = {name for name in detector.state_dict() if name.startswith("memory.")}
    assert own == {f"memory.{name}" for name in ("rows", "contents", "count", "cursor")}
    without = CopyDetector(NetworkConfig(backbone="resnet18", dims=DIMS))
    assert not any(name.startswith("memory") for name in without.state_dict())
