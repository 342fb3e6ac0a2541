"""Steps out of chunks, and going on in the middle of an epoch, by hand and by Lightning."""

import gc
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor
from torch.utils.data import Dataset

from sscd.data.loading.samplers import EpochSampler
from sscd.data.loading.step_loader import StepLoader
from sscd.errors import UserError

Key = tuple[int, int]
REFUSED = 99


class Keys(Dataset[Key]):
    """Items that say what they were asked by."""

    def __len__(self) -> int:
        return 100

    def __getitem__(self, key: Key) -> Key:
        if key[1] == REFUSED:
            raise UserError("picture 99 is nowhere; look for it")
        return key


def collate(keys: list[Key]) -> Tensor:
    return torch.tensor(keys)


def join(chunks: Iterable[Tensor], pictures: int) -> Tensor:
    joined = torch.cat(list(chunks))
    assert len(joined) == pictures
    return joined


def loader(
    *,
    count: int = 23,
    workers: int = 0,
    rank: int = 0,
    ranks: int = 1,
    batch: int = 4,
    chunk: int = 3,
) -> StepLoader:
    sampler = EpochSampler(count, seed=5, rank=rank, ranks=ranks)
    return StepLoader(
        Keys(),
        collate,
        join,
        sampler=sampler,
        batch_size=batch,
        chunk=chunk,
        workers=workers,
    )


def epoch_of(source: Any) -> list[Key]:
    return [(int(e), int(i)) for batch in source for e, i in batch]


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_batch_does_not_depend_on_chunks_or_workers(chunk: int, workers: int) -> None:
    sampler = EpochSampler(23, seed=5, rank=0, ranks=1)
    sampler.set_epoch(1)
    expected = list(sampler)[:20]
    steps = loader(chunk=chunk, workers=workers)
    steps.epoch_sampler.set_epoch(1)
    batches = list(steps)
    assert [len(batch) for batch in batches] == [4] * 5
    assert epoch_of(batches) == expected
    assert epoch_of(steps) == expected  # workers that are still there


def test_an_iteration_that_is_left_does_not_spoil_the_next() -> None:
    steps = loader(workers=2, chunk=1)
    expected = epoch_of(steps)
    for stop in (0, 1, 3):
        left = iter(steps)
        for _ in range(stop):
            next(left)
        assert epoch_of(steps) == expected


def test_about_two_steps_are_on_their_way() -> None:
    for batch, chunk, workers in ((4096, 32, 10), (128, 32, 10), (64, 32, 2), (256, 64, 3)):
        steps = loader(count=5000, batch=batch, chunk=chunk, workers=workers)
        least = 2 * workers * max(steps.batch_sampler.sizes)  # two chunks a worker
        assert 2 * batch <= steps.pictures_ahead <= max(2 * batch, least) + workers * chunk


def test_the_global_random_numbers_are_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(loader(workers=2))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_for_the_user_arrives_as_it_was_raised(workers: int) -> None:
    with pytest.raises(UserError) as raised:
        list(loader(count=100, workers=workers))
    assert str(raised.value) == "picture 99 is nowhere; look for it"
    del raised
    gc.collect()  # the loader with its workers, before another's are forked


def test_waiting_is_counted_and_nothing_else() -> None:
    class Slow(Keys):
        def __getitem__(self, key: Key) -> Key:
            time.sleep(0.01)
            return key

    sampler = EpochSampler(20, seed=0, rank=0, ranks=1)
    steps = StepLoader(Slow(), collate, join, sampler=sampler, batch_size=4, chunk=2)
    before = time.perf_counter()
    for _ in steps:
        time.sleep(0.04)
    assert 0.19 < steps.waited < time.perf_counter() - before - 0.19


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [0, 1, 3, 5])
def test_the_state_counts_what_was_handed_out(workers: int, stop: int) -> None:
    whole = loader(workers=workers)
    whole.epoch_sampler.set_epoch(2)
    expected = epoch_of(whole)
    assert len(expected) == 20  # the batch that is not full is dropped
    first = loader(workers=workers)
    first.epoch_sampler.set_epoch(2)
    batches = iter(first)
    seen = epoch_of(next(batches) for _ in range(stop))
    state = first.state_dict()
    assert state["batches"] == stop  # whatever the workers have ready
    del batches
    second = loader(workers=2 - workers)
    second.load_state_dict(state)
    assert second.state_dict()["batches"] in (stop, 0)
    rest = epoch_of(second)
    assert len(second) == 5  # of a whole epoch, as the trainer counts
    if stop < 5:
        assert seen + rest == expected
        assert second.state_dict() == {**state, "batches": 5}
    else:  # the epoch was over: the next one
        assert {epoch for epoch, _ in rest} == {3}
        assert len(rest) == 20


def test_the_epoch_after_a_resumed_one_is_whole() -> None:
    one = loader()
    one.load_state_dict({**one.state_dict(), "batches": 3})
    assert len(epoch_of(one)) == 8
    one.epoch_sampler.set_epoch(1)
    assert len(epoch_of(one)) == 20


def test_ranks_may_change_where_the_global_batch_does_not() -> None:
    batches = iter(loader(ranks=1, batch=4))
    seen = epoch_of(next(batches) for _ in range(2))
    state = {"epoch": 0, "batches": 2, **loader(ranks=1, batch=4)._identity()}
    for rank in range(2):
        half = loader(rank=rank, ranks=2, batch=2)
        half.load_state_dict(state)
        seen += epoch_of(half)
    assert sorted(seen) == sorted(epoch_of(loader(ranks=1, batch=4)))


@pytest.mark.parametrize(
    ("other", "key"),
    [({"count": 24}, "pictures 23"), ({"batch": 5}, "global batch size 4")],
)
def test_a_state_of_other_data_is_refused(other: dict[str, int], key: str) -> None:
    with pytest.raises(UserError, match=key):
        loader(**other).load_state_dict(loader().state_dict())


def test_a_state_of_an_epoch_that_was_cut_short_is_past() -> None:
    one = loader()
    one.epoch_sampler.set_epoch(3)
    one.load_state_dict({**loader().state_dict(), "batches": 2})
    assert {epoch for epoch, _ in epoch_of(one)} == {3}
    assert len(epoch_of(one)) == 20


class Recorder(LightningModule):
    """Learns nothing; notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[Key] = []

    def training_step(self, batch: Tensor) -> Tensor:
        self.seen += [(int(e), int(i)) for e, i in batch]
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(
    folder: Path,
    *,
    steps: int | None = None,
    resume: Path | None = None,
    every: int = 1,
    limit: dict[str, int],
) -> list[Key]:
    """Train for 20 pictures in 5 batches an epoch, saving after every batch."""
    model = Recorder()
    checkpoint = ModelCheckpoint(
        folder, filename="{step}", save_top_k=-1, every_n_train_steps=every
    )
    stopping: dict[str, Any] = dict(limit)
    if steps is not None:
        stopping = {"max_steps": steps}
    trainer = Trainer(
        accelerator="cpu",
        callbacks=[checkpoint],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        **stopping,
    )
    trainer.fit(model, loader(workers=2), ckpt_path=resume, weights_only=False)
    return model.seen


@pytest.mark.parametrize("limit", [{"max_epochs": 3}, {"max_steps": 15}])
@pytest.mark.parametrize("stop", [3, 7, 10])
def test_lightning_goes_on_at_the_next_batch(
    tmp_path: Path, stop: int, limit: dict[str, int]
) -> None:
    expected = fit(tmp_path / "whole", limit=limit, every=100)
    assert len(expected) == len(set(expected)) == 60
    first = fit(tmp_path / "part", steps=stop, limit=limit)
    assert first == expected[: 4 * stop]
    rest = fit(tmp_path / "rest", resume=tmp_path / "part" / f"step={stop}.ckpt", limit=limit)
    assert first + rest == expected
