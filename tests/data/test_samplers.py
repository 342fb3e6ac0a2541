"""Orders of an epoch, and going on in the middle of one, by hand and by Lightning."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor
from torch.utils.data import Dataset

from sscd.data.samplers import EpochSampler, ResumableLoader, ShareSampler
from sscd.errors import UserError

Key = tuple[int, int]


class Keys(Dataset[Key]):
    """Items that say what they were asked by."""

    def __getitem__(self, key: Key) -> Key:
        return key


def collate(keys: list[Key]) -> Tensor:
    return torch.tensor(keys)


def loader(
    *, count: int = 23, workers: int = 0, rank: int = 0, ranks: int = 1, batch: int = 4
) -> ResumableLoader:
    sampler = EpochSampler(count, seed=5, rank=rank, ranks=ranks)
    return ResumableLoader(
        Keys(),
        sampler=sampler,
        batch_size=batch,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def epoch_of(source: Any) -> list[Key]:
    return [(int(e), int(i)) for batch in source for e, i in batch]


def indices(sampler: EpochSampler) -> list[int]:
    return [index for _, index in sampler]


def test_shares_cover_an_epoch_once_but_for_the_remainder() -> None:
    for count, ranks in ((10, 3), (12, 4), (7, 1), (2, 3)):
        shares = [indices(EpochSampler(count, seed=0, rank=r, ranks=ranks)) for r in range(ranks)]
        assert {len(share) for share in shares} == {count // ranks}
        seen = [index for share in shares for index in share]
        assert len(set(seen)) == len(seen) == count - count % ranks


def test_another_picture_is_left_out_in_another_epoch() -> None:
    sampler = EpochSampler(10, seed=0, rank=0, ranks=1)
    sampler.ranks = 3
    left_out = set()
    for epoch in range(20):
        sampler.set_epoch(epoch)
        seen = set()
        for sampler.rank in range(3):
            seen |= set(indices(sampler))
        left_out |= set(range(10)) - seen
    assert len(left_out) > 3


def test_shards_are_read_a_window_at_a_time_and_mixed_in_it() -> None:
    shards = np.random.default_rng(0).integers(0, 12, 600).astype(np.int32)
    sampler = EpochSampler(600, seed=1, rank=0, ranks=1, shards=shards, window=3)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        order = indices(sampler)
        assert sorted(order) == list(range(600))
        runs = shards[order]
        first = [int(np.flatnonzero(runs == s)[0]) for s in range(12)]
        last = [int(np.flatnonzero(runs == s)[-1]) for s in range(12)]
        for position in range(600):
            opened = sum(a <= position <= b for a, b in zip(first, last, strict=True))
            assert opened <= 3
        assert len(set(runs[:20].tolist())) == 3  # mixed from the start
        orders.append(order)
    assert orders[0] != orders[1]
    assert orders[0] == orders[2]


def test_one_window_over_all_shards_mixes_everything() -> None:
    shards = np.repeat(np.arange(4, dtype=np.int32), 100)
    order = indices(EpochSampler(400, seed=1, rank=0, ranks=1, shards=shards, window=4))
    counts = np.bincount(shards[order[:100]], minlength=4)
    assert counts.min() > 10


def test_shards_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(5,\)"):
        EpochSampler(5, seed=0, rank=0, ranks=1, shards=np.zeros(4, dtype=np.int32))


def test_ranks_read_from_the_same_window() -> None:
    shards = np.repeat(np.arange(6, dtype=np.int32), 10)
    samplers = [
        EpochSampler(60, seed=0, rank=r, ranks=2, shards=shards, window=2) for r in range(2)
    ]
    shares = [shards[indices(sampler)] for sampler in samplers]
    assert all(set(a) <= set(shares[0][:10]) for a in (shares[0][:10], shares[1][:10]))


def test_share_sampler_covers_everything_once() -> None:
    shares = [list(ShareSampler(10, rank=r, ranks=4)) for r in range(4)]
    assert sorted(index for share in shares for index in share) == list(range(10))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [0, 1, 3, 5])
def test_the_state_counts_what_was_handed_out(workers: int, stop: int) -> None:
    whole = loader(workers=workers)
    whole.sampler.set_epoch(2)
    expected = epoch_of(whole)
    assert len(expected) == 20  # the batch that is not full is dropped
    first = loader(workers=workers)
    first.sampler.set_epoch(2)
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
    one.sampler.set_epoch(1)
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
    one.sampler.set_epoch(3)
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
