"""The side of views in each epoch."""

import pytest

from sscd.augment.progression import Progression, check_progression, size_at

SIZES = ((0.0, 48), (0.4, 64), (0.8, 96))


def sizes(progression: Progression, epochs: float, count: int) -> list[int]:
    return [size_at(progression, epoch, epochs, image_size=96) for epoch in range(count)]


def test_a_size_is_in_force_from_its_share_on() -> None:
    check_progression(SIZES, image_size=96)
    assert sizes(SIZES, 5, 5) == [48, 48, 64, 64, 96]
    assert sizes(SIZES, 10, 10) == [48] * 4 + [64] * 4 + [96] * 2
    assert sizes((), 3, 3) == [96, 96, 96]


def test_a_size_that_starts_amid_an_epoch_waits_for_the_next() -> None:
    assert sizes(SIZES, 4.5, 5) == [48, 48, 64, 64, 96]
    assert sizes(SIZES, 0.5, 1) == [48]


def test_shares_are_decimals() -> None:
    for whole in range(1, 101):
        for share in range(1, 100):
            first = next(
                epoch
                for epoch in range(whole + 1)
                if size_at(((0.0, 8), (share / 100, 9)), epoch, whole, image_size=9) == 9
            )
            assert first == -(-share * whole // 100)


@pytest.mark.parametrize(
    ("progression", "message"),
    [
        ([(0.1, 96)], r"shares \[0.1\]; expected 0 first"),
        ([(0.0, 48), (0.5, 64), (0.5, 96)], "then rising"),
        ([(0.0, 48), (0.5, 64), (0.4, 96)], "then rising"),
        ([(0.0, 48), (1.0, 96)], "below 1"),
        ([(0.0, 48), (float("nan"), 96)], "then rising"),
        ([(0.0, 0), (0.5, 96)], "side 0; expected at least 1"),
        ([(0.0, 48), (0.5, 64)], "ends with 64 px, image_size is 96"),
    ],
)
def test_wrong_values(progression: Progression, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_progression(progression, image_size=96)
