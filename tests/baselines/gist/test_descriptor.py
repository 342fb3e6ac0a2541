from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.plain_gist import plain_gist
from sscd.baselines.gist.descriptor import gist

LEAR_GIST = Path(__file__).resolve().parents[4] / "shared" / "gist" / "lear_gist.npz"

Crops = NDArray[np.uint8]


def crops(count: int, *, seed: int = 0) -> Crops:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8, 3)).repeat(4, axis=1).repeat(4, axis=2)
    noise = rng.normal(0, 20, (count, 32, 32, 3))
    return np.clip(coarse + noise, 0, 255).astype(np.uint8)


def by_parts(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, 960) → (B, 3 channels, 20 filters, 4 columns, 4 rows)."""
    return descriptors.reshape(-1, 3, 20, 4, 4)


def waves(*, across: float = 0, down: float = 0) -> Crops:
    """A grey grating of so many cycles in each direction."""
    y, x = np.mgrid[:32, :32]
    values = 128 + 100 * np.cos(2 * np.pi * (across * x + down * y) / 32)
    return np.repeat(values[None, :, :, None], 3, axis=3).astype(np.uint8)


@pytest.mark.skipif(not LEAR_GIST.is_file(), reason="what lear_gist printed is not here")
def test_equal_to_lear_gist_but_for_rounding() -> None:
    with np.load(LEAR_GIST) as file:
        given, expected = file["crops"], file["gist"]
    got = gist(given)
    assert got.shape == expected.shape == (100, 960)
    # Both round in float32: each is as far from the values in float64 as they are from one another.
    np.testing.assert_allclose(got, expected, atol=2e-6, rtol=0)
    np.testing.assert_allclose(got, expected, rtol=3e-4)
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((got * expected).sum(axis=1) / lengths).min() > 0.999999


def test_equal_to_the_plain_twin() -> None:
    given = np.concatenate([crops(9), waves(across=9, down=2), np.zeros((1, 32, 32, 3), np.uint8)])
    expected = np.array([plain_gist(crop) for crop in given])
    np.testing.assert_allclose(gist(given), expected, atol=5e-6, rtol=0)


def test_a_grating_answers_at_its_scale_and_orientation() -> None:
    # Filters 0–7 peak at 9.6 cycles, 8–15 at 5.2 and 16–19 at 2.8; θ = 0 is across, π/2 down.
    for filter_, across, down in ((0, 10, 0), (4, 0, 10), (8, 5, 0), (12, 0, 5), (6, 7, 7)):
        energies = by_parts(gist(waves(across=across, down=down)))[0].mean(axis=(0, 2, 3))
        assert int(energies.argmax()) == filter_, (across, down)


def test_cells_run_column_by_column() -> None:
    crop = np.full((1, 32, 32, 3), 128, np.uint8)
    crop[0, 8:16, 24:32] = waves(across=10)[0, 8:16, 24:32]
    energies = by_parts(gist(crop))[0].sum(axis=(0, 1))
    assert divmod(int(energies.argmax()), 4) == (3, 1)


def test_channels_stand_one_after_the_other() -> None:
    given = crops(2)
    swapped = by_parts(gist(given[..., [2, 1, 0]]))
    np.testing.assert_allclose(swapped, by_parts(gist(given))[:, [2, 1, 0]], rtol=1e-4)


def test_a_picture_does_not_see_its_neighbours() -> None:
    given = crops(19)
    together = gist(given)
    alone = np.concatenate([gist(given[index : index + 1]) for index in range(19)])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert len({row.tobytes() for row in together}) == 19


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_one_colour_is_finite_and_empty(value: int) -> None:
    got = gist(np.full((1, 32, 32, 3), value, np.uint8))
    assert np.isfinite(got).all()
    assert np.abs(got).max() < 1e-5


def test_no_crop_and_a_view_of_crops() -> None:
    assert gist(crops(1)[:0]).shape == (0, 960)
    given = crops(4)
    np.testing.assert_array_equal(gist(given[::2]), gist(given[::2].copy()))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 3, 32, 32), np.uint8),
        np.zeros((1, 16, 16, 3), np.uint8),
    ],
)
def test_refuses_what_is_no_crop(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"expected \(B, 32, 32, 3\) uint8"):
        gist(wrong)
