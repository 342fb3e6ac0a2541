import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search import whitening
from sscd.search.whitening import Whitening


def correlated(count: int, *, seed: int, dims: int = 8) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((dims, dims))
    return (rng.standard_normal((count, dims)) @ mixing + 3.0).astype(np.float32)


def test_training_descriptors_become_white() -> None:
    training = correlated(2000, seed=0)
    white = Whitening.fit(training, dims=8)
    projected = (training - white.mean) @ white.matrix
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(projected.T, bias=True), np.eye(8), atol=1e-3)


def test_equals_the_singular_values_of_the_centred_rows() -> None:
    training = correlated(300, seed=1)
    white = Whitening.fit(training, dims=5)
    centred = training.astype(np.float64) - training.mean(axis=0, dtype=np.float64)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    expected = (rows[:5] / (values[:5, None] / np.sqrt(300))).T
    np.testing.assert_allclose(np.abs(white.matrix), np.abs(expected), rtol=1e-3, atol=1e-5)


def test_apply_normalises_and_keeps_the_mean_at_zero() -> None:
    white = Whitening.fit(correlated(300, seed=2), dims=6)
    result = white.apply(correlated(50, seed=3))
    assert result.shape == (50, 6)
    assert result.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(result, axis=1), 1, atol=1e-6)
    assert np.array_equal(white.apply(white.mean[None]), np.zeros((1, 6), np.float32))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    training, others = correlated(300, seed=4), correlated(31, seed=5)
    whole = Whitening.fit(training, dims=8)
    monkeypatch.setattr(whitening, "_BLOCK", 7)
    blocked = Whitening.fit(training, dims=8)
    np.testing.assert_allclose(whole.matrix, blocked.matrix, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(whole.apply(others), blocked.apply(others), atol=1e-5)


def test_a_dead_direction_is_not_blown_up() -> None:
    training = correlated(300, seed=6)
    training[:, 3] = 0.5
    training[:, 4] = training[:, 5]
    white = Whitening.fit(training, dims=8, floor=1e-4)
    assert np.isfinite(white.matrix).all()
    stretch = np.linalg.norm(white.matrix, axis=0)
    assert stretch.max() / stretch.min() == pytest.approx(100.0, rel=1e-3)
    assert np.isfinite(white.apply(training)).all()


def test_the_same_map_whatever_the_order_of_the_pictures() -> None:
    training = correlated(300, seed=7)
    a, b = Whitening.fit(training, dims=8), Whitening.fit(training[::-1], dims=8)
    np.testing.assert_allclose(a.matrix, b.matrix, rtol=1e-4, atol=1e-6)
    largest = np.abs(a.matrix).argmax(axis=0)
    assert (a.matrix[largest, np.arange(8)] > 0).all()  # signs are chosen, not LAPACK's


def test_refuses() -> None:
    training = correlated(300, seed=8)
    with pytest.raises(UserError, match="at least 8 training pictures, got 7"):
        Whitening.fit(training[:7], dims=8)
    with pytest.raises(UserError, match="have only 8"):
        Whitening.fit(training, dims=9)
    with pytest.raises(ValueError, match="dims 0"):
        Whitening.fit(training, dims=0)
    with pytest.raises(ValueError, match="equal or not finite"):
        Whitening.fit(np.ones((20, 4), np.float32), dims=2)
    training[3, 3] = np.nan
    with pytest.raises(ValueError, match="equal or not finite"):
        Whitening.fit(training, dims=2)
    with pytest.raises(ValueError, match=r"\(n, 8\)"):
        Whitening.fit(correlated(50, seed=0), dims=8).apply(np.ones((2, 7)))
