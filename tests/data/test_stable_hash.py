import numpy as np

from sscd.data.stable_hash import stable_fractions

PINNED = [0.7293162444263707, 0.7533841237746071, 0.3915541815432252]


def test_numbers_are_pinned_for_ever() -> None:
    """Splits and query sets hang on these: a change would move every picture."""
    numbers = stable_fractions([b"a.jpg", b"sub/b.jpg", b""], salt="folder split")
    assert numbers.tolist() == PINNED


def test_numbers_depend_on_name_and_salt_alone() -> None:
    names = [f"{i}.jpg".encode() for i in range(20)]
    numbers = stable_fractions(names, salt="x")
    np.testing.assert_array_equal(numbers[::-1], stable_fractions(names[::-1], salt="x"))
    assert not np.isin(numbers, stable_fractions(names, salt="y")).any()


def test_numbers_are_spread_evenly() -> None:
    numbers = stable_fractions((f"{i}.jpg".encode() for i in range(20_000)), salt="x")
    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert np.abs(counts - 2_000).max() < 200  # almost five standard deviations
    assert stable_fractions([], salt="x").shape == (0,)
