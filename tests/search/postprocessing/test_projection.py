from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from sscd import vectors
from sscd.errors import UserError
from sscd.search.postprocessing.projection import Projection, ProjectionKind


def correlated(count: int, *, seed: int, dims: int = 8) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((dims, dims))
    return (rng.standard_normal((count, dims)) @ mixing + 3.0).astype(np.float32)


def test_training_descriptors_become_white() -> None:
    training = correlated(2000, seed=0)
    white = Projection.fit(training, kind="whiten", dims=8)
    projected = (training - white.mean) @ white.matrix
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(projected.T, bias=True), np.eye(8), atol=1e-3)


def test_equals_the_singular_values_of_the_centred_rows() -> None:
    training = correlated(300, seed=1)
    white = Projection.fit(training, kind="whiten", dims=5)
    centred = training.astype(np.float64) - training.mean(axis=0, dtype=np.float64)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    expected = (rows[:5] / (values[:5, None] / np.sqrt(300))).T
    np.testing.assert_allclose(np.abs(white.matrix), np.abs(expected), rtol=1e-3, atol=1e-5)


def test_apply_normalises_and_keeps_the_mean_at_zero() -> None:
    white = Projection.fit(correlated(300, seed=2), kind="whiten", dims=6)
    result = white.apply(correlated(50, seed=3))
    assert result.shape == (50, 6)
    assert result.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(result, axis=1), 1, atol=1e-6)
    assert np.array_equal(white.apply(white.mean[None]), np.zeros((1, 6), np.float32))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    training, others = correlated(300, seed=4), correlated(31, seed=5)
    whole = Projection.fit(training, kind="whiten", dims=8)
    monkeypatch.setattr(vectors, "BLOCK", 7)
    blocked = Projection.fit(training, kind="whiten", dims=8)
    np.testing.assert_allclose(whole.matrix, blocked.matrix, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(whole.apply(others), blocked.apply(others), atol=1e-5)


def test_a_dead_direction_is_not_blown_up() -> None:
    training = correlated(300, seed=6)
    training[:, 3] = 0.5
    training[:, 4] = training[:, 5]
    white = Projection.fit(training, kind="whiten", dims=8, floor=1e-4)
    assert np.isfinite(white.matrix).all()
    stretch = np.linalg.norm(white.matrix, axis=0)
    assert stretch.max() / stretch.min() == pytest.approx(100.0, rel=1e-3)
    assert np.isfinite(white.apply(training)).all()


def test_the_same_map_whatever_the_order_of_the_pictures() -> None:
    training = correlated(300, seed=7)
    a, b = (
        Projection.fit(training, kind="whiten", dims=8),
        Projection.fit(training[::-1], kind="whiten", dims=8),
    )
    np.testing.assert_allclose(a.matrix, b.matrix, rtol=1e-4, atol=1e-6)
    largest = np.abs(a.matrix).argmax(axis=0)
    assert (a.matrix[largest, np.arange(8)] > 0).all()  # signs are chosen, not LAPACK's


def test_pca_keeps_variances_and_whitening_is_pca_scaled() -> None:
    training = correlated(2000, seed=9)
    pca = Projection.fit(training, kind="pca", dims=5)
    white = Projection.fit(training, kind="whiten", dims=5)
    np.testing.assert_allclose(pca.matrix.T @ pca.matrix, np.eye(5), atol=1e-5)
    variances = np.linalg.eigvalsh(np.cov(training.T, bias=True))[::-1][:5]
    projected = (training - pca.mean) @ pca.matrix
    np.testing.assert_allclose(projected.var(axis=0), variances, rtol=1e-3)
    np.testing.assert_allclose(white.matrix * np.sqrt(variances), pca.matrix, rtol=1e-3, atol=1e-5)


def test_centring_subtracts_the_mean_and_normalises() -> None:
    training, others = correlated(100, seed=10), correlated(7, seed=11)
    centre = Projection.fit(training, kind="center", dims=8)
    expected = others - training.mean(axis=0, dtype=np.float64)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(centre.apply(others), expected, atol=1e-5)
    assert Projection.fit(training[:2], kind="center", dims=8).dims == 8  # fewer than dimensions
    with pytest.raises(UserError, match="keeps all 8 dimensions, not 5"):
        Projection.fit(training, kind="center", dims=5)


@pytest.mark.parametrize("kind", ["center", "pca", "whiten"])
def test_rows_on_disk_are_projected_alike(kind: ProjectionKind, tmp_path: Path) -> None:
    training = correlated(40, seed=12)
    file = h5py.File(tmp_path / "a.h5", "w")
    stored = file.create_dataset("vectors", data=training)
    from_disk = Projection.fit(stored, kind=kind, dims=8)
    assert np.array_equal(
        Projection.fit(training, kind=kind, dims=8).apply(training), from_disk.apply(stored)
    )


def test_refuses() -> None:
    training = correlated(300, seed=8)
    with pytest.raises(UserError, match="at least 8 training pictures, got 7"):
        Projection.fit(training[:7], kind="pca", dims=8)
    with pytest.raises(UserError, match="at least 9 training pictures, got 8"):
        Projection.fit(training[:8], kind="whiten", dims=8)  # they span 7
    with pytest.raises(UserError, match="have only 8"):
        Projection.fit(training, kind="whiten", dims=9)
    with pytest.raises(ValueError, match="dims 0"):
        Projection.fit(training, kind="whiten", dims=0)
    with pytest.raises(ValueError, match="equal or not finite"):
        Projection.fit(np.ones((20, 4), np.float32), kind="whiten", dims=2)
    training[3, 3] = np.nan
    with pytest.raises(ValueError, match="equal or not finite"):
        Projection.fit(training, kind="whiten", dims=2)
    with pytest.raises(ValueError, match=r"\(n, 8\)"):
        Projection.fit(correlated(50, seed=0), kind="whiten", dims=8).apply(np.ones((2, 7)))
