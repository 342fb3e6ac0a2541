"""Every batch of every rank draws its own numbers, and the same ones again."""

import itertools

from sscd.training.steps.step_seed import batch_seed


def test_seeds_repeat_and_differ() -> None:
    places = list(itertools.product((0, 1), (0, 1), (0, 1, 2), (0, 1)))
    seeds = [batch_seed(*place) for place in places]
    assert len(set(seeds)) == len(places)
    assert seeds == [batch_seed(*place) for place in places]
    assert all(0 <= seed < 2**64 for seed in seeds)
