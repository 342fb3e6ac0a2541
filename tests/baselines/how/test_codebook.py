import sys
from typing import Any

import numpy as np
import pytest

from sscd.baselines.how.codebook import Codebook, learn_codebook
from sscd.errors import UserError
from tests.baselines.how.naive import random_pictures


def test_every_cluster_gets_words() -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((6, 16)).astype(np.float32) * 10
    points = np.repeat(centres, 30, axis=0) + rng.normal(0, 0.1, (180, 16)).astype(np.float32)
    found = learn_codebook(rng.permutation(points), 40, seed=3)
    distances = np.linalg.norm(found.centroids[:, None] - points, axis=2)
    assert distances.min(axis=0).max() < 1  # every point is near a word
    assert found.words == 40
    assert found.dims == 16


def test_the_same_seed_gives_the_same_words() -> None:
    (points,) = random_pictures(0, [200], 8)
    one, two, other = (learn_codebook(points, 20, seed=seed).centroids for seed in (1, 1, 2))
    assert one.tolist() == two.tolist()
    assert one.tolist() != other.tolist()


def test_iterations_go_on_from_one_another() -> None:
    import faiss

    (points,) = random_pictures(0, [400], 8)

    def error(centroids: Any) -> float:
        return float(((points[:, None] - centroids) ** 2).sum(axis=2).min(axis=1).sum())

    errors = [error(learn_codebook(points, 20, iterations=n).centroids) for n in (1, 3, 10)]
    assert errors[0] > errors[1] > errors[2]
    whole = faiss.Kmeans(8, 20, niter=10, seed=0)
    whole.train(points)
    assert errors[2] == pytest.approx(error(whole.centroids), rel=0.05)


def test_too_few_descriptors_are_refused() -> None:
    (points,) = random_pictures(0, [19], 8)
    with pytest.raises(UserError, match=r"^19 local .* 20 visual words; give --words 1, or"):
        learn_codebook(points, 20)
    assert learn_codebook(points, 19).words == 19


def test_without_faiss_an_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(UserError, match=r"pip install 'sscd\[faiss\]'"):
        learn_codebook(np.ones((3, 2), np.float32), 2)


@pytest.mark.parametrize("centroids", [np.ones(3), np.ones((0, 3)), np.full((2, 3), np.nan)])
def test_centroids_must_be_rows_of_numbers(centroids: np.ndarray) -> None:
    with pytest.raises(ValueError, match="centroids"):
        Codebook(centroids.astype(np.float32))


def test_words_of_no_pictures_and_of_more_assignments_than_words() -> None:
    codebook = Codebook(np.eye(3, 4, dtype=np.float32))
    assert codebook.words_of([], assignments=5) == []
    empty, full = codebook.words_of(
        [np.empty((0, 4), np.float32), np.eye(4, dtype=np.float32)[:1]], assignments=5
    )
    assert len(empty) == 0
    assert full.words.tolist() == [0, 1, 2]
