"""Orders of an epoch and the portions they are loaded in."""

import numpy as np
import pytest

from sscd.data.loading.samplers import ChunkSampler, EpochSampler, ShareSampler


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


@pytest.mark.parametrize(
    ("batch", "chunk", "workers", "sizes"),
    [
        (10, 4, 0, [4, 3, 3]),  # nearly equal
        (10, 32, 0, [10]),
        (10, 1, 0, [1] * 10),
        (64, 32, 2, [32, 32]),
        (64, 32, 4, [16] * 4),  # all workers make the same step
        (64, 32, 30, [8] * 8),  # but not too little each
        (100, 32, 3, [25] * 4),
        (5, 32, 8, [5]),
    ],
)
def test_a_step_is_cut_into_chunks(batch: int, chunk: int, workers: int, sizes: list[int]) -> None:
    sampler = EpochSampler(batch * 2 + 1, seed=0, rank=0, ranks=1)
    chunks = ChunkSampler(sampler, batch_size=batch, chunk=chunk, workers=workers)
    assert [len(keys) for keys in chunks] == sizes * 2
    assert len(chunks) == 2 * len(sizes)
    assert chunks.steps == 2


def test_chunks_are_the_order_of_the_epoch_but_for_what_fills_no_step() -> None:
    sampler = EpochSampler(23, seed=5, rank=0, ranks=1)
    chunks = ChunkSampler(sampler, batch_size=5, chunk=2)
    assert [key for keys in chunks for key in keys] == list(sampler)[:20]
    sampler.start_at(0, 10)
    assert [key for keys in chunks for key in keys] == list(sampler)[:10]
    assert chunks.steps == 4  # of a whole epoch


@pytest.mark.parametrize("sizes", [{"batch_size": 0, "chunk": 1}, {"batch_size": 1, "chunk": 0}])
def test_chunks_of_nothing_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected 1 up"):
        ChunkSampler(EpochSampler(5, seed=0, rank=0, ranks=1), **sizes)
