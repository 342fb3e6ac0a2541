import numpy as np
import pytest

from sscd.augment.edits import draws


def test_draws_stay_in_their_ranges_and_reach_their_ends() -> None:
    rng = np.random.default_rng(0)
    assert {draws.integer(rng, (2, 4)) for _ in range(99)} == {2, 3, 4}
    assert {draws.choice(rng, ("a", "b")) for _ in range(99)} == {"a", "b"}
    assert {draws.sign(rng) for _ in range(99)} == {-1, 1}
    logs = np.log([draws.log_uniform(rng, (0.25, 4.0)) for _ in range(2000)])
    assert np.abs(logs).max() <= np.log(4)
    assert logs.mean() == pytest.approx(0, abs=0.1)
    values = [draws.uniform(rng, (-1.0, 3.0)) for _ in range(2000)]
    assert np.mean(values) == pytest.approx(1, abs=0.15)
    assert isinstance(draws.seed(rng), int)


def test_what_is_certain_draws_nothing() -> None:
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    assert draws.happens(rng, 1.0)
    assert not draws.happens(rng, 0.0)
    assert rng.bit_generator.state == state
    assert 150 < sum(draws.happens(rng, 0.2) for _ in range(1000)) < 250


def test_plain_colors_are_black_white_or_any() -> None:
    rng = np.random.default_rng(0)
    colors = [draws.plain_color(rng) for _ in range(600)]
    assert 150 < colors.count((0, 0, 0)) < 250
    assert 150 < colors.count((255, 255, 255)) < 250
    assert len(set(colors)) > 150


def test_a_bounded_area() -> None:
    scale = draws.bounded_scale((200, 100), pixels=5000)
    assert 200 * scale * 100 * scale == pytest.approx(5000)
    assert draws.bounded_scale((20, 10), pixels=5000) == 1
