"""Noise that belongs to pairs: even, without a pattern, and the same in any part of the matrix."""

import torch

from sscd.losses.noise import pair_noise


def test_it_is_even() -> None:
    noise = pair_noise(torch.arange(300), torch.arange(300), seed=0)
    assert 0 < float(noise.min()) < 1e-4
    assert 1 - 1e-4 < float(noise.max()) < 1
    counts = torch.histc(noise, 10, 0, 1) / noise.numel()
    torch.testing.assert_close(counts, torch.full((10,), 0.1), atol=0.01, rtol=0)
    assert abs(float(noise.mean()) - 0.5) < 0.01
    assert len(set(noise.flatten().tolist())) > 0.99 * noise.numel()


def test_rows_columns_and_seeds_do_not_hang_together() -> None:
    noise = pair_noise(torch.arange(200), torch.arange(200), seed=3)
    others = [noise.T, noise.roll(1, 0), noise.roll(1, 1)]
    others.append(pair_noise(torch.arange(200), torch.arange(200), seed=4))
    for other in others:
        both = torch.stack([noise.flatten(), other.flatten()])
        assert abs(float(torch.corrcoef(both)[0, 1])) < 0.02


def test_a_part_is_that_of_the_whole() -> None:
    whole = pair_noise(torch.arange(9), torch.arange(7), seed=2**63 + 5)
    part = pair_noise(torch.arange(4, 6), torch.arange(2, 7), seed=2**63 + 5)
    assert torch.equal(part, whole[4:6, 2:])


def test_the_ends_are_never_met() -> None:
    # All top bits of the hash are set in the one pair, and none in the other.
    ends = pair_noise(torch.tensor([11917949, 0]), torch.zeros(1, dtype=torch.int64), seed=0)
    assert [float(noise) for noise in ends] == [1 - 2**-24, 2**-24]
