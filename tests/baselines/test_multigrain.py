from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sscd.baselines.multigrain import multigrain_dims, multigrain_system
from sscd.data.descriptors import Descriptors
from sscd.data.records import ImageSet, Pictures
from sscd.data.stopwatch import Stopwatch
from sscd.errors import UserError


def pictures(name: str, count: int) -> ImageSet:
    return ImageSet.from_names(name, root=Path(name), names=[f"{i:03d}.jpg" for i in range(count)])


def describer(channels: int) -> Callable[[Pictures], Descriptors]:
    def describe(images: Pictures) -> Descriptors:
        seed = sum(images.name.encode())
        rows = np.random.default_rng(seed).normal(size=(len(images), channels)) + 3
        return Descriptors(images.ids, rows.astype(np.float32))

    return describe


def test_dimensions_are_the_papers_where_there_are_enough() -> None:
    assert multigrain_dims(2048, training=1_000_000) == 1500
    assert multigrain_dims(512, training=1_000_000) == 512
    assert multigrain_dims(2048, training=300) == 299


def test_as_many_dimensions_as_a_few_training_pictures_give_still_find_copies() -> None:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(64, 512))
    seen = rng.normal(size=(200, 64))
    pictured = {"training": rng.normal(size=(24, 64)), "references": seen, "queries": seen + 0.01}

    def describe(images: Pictures) -> Descriptors:
        rows = np.maximum(pictured[images.name] @ directions, 0)
        return Descriptors(images.ids, rows.astype(np.float32))

    dims = multigrain_dims(512, training=24)
    system = multigrain_system(describe, dims=dims, hardware="", device="cpu")
    system.learn(pictures("training", 24))
    system.index(pictures("references", 200))
    vectors = np.asarray(system.describe(pictures("references", 200)).vectors)
    assert np.abs(vectors).max(axis=1).mean() < 0.8  # no dimension is all of a descriptor
    found = system.search(pictures("queries", 200), limit=200).plain
    assert (found.query == found.reference).mean() > 0.95


def test_descriptors_are_whitened_and_scores_normalised_by_the_tenth() -> None:
    system = multigrain_system(describer(12), dims=5, hardware="here", device="cpu")
    training = pictures("training", 400)
    system.learn(training)
    assert (system.name, system.dims, str(system.norm)) == ("Multigrain", 5, "2.0[9]")
    whitened = np.asarray(system.describe(training).vectors)
    assert whitened.shape == (400, 5)
    np.testing.assert_allclose(np.linalg.norm(whitened, axis=1), 1, atol=1e-5)
    covariance = np.cov(whitened.T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.05 * covariance.max()
    system.index(pictures("references", 30))
    found = system.search(pictures("queries", 7), limit=20)
    assert len(found.plain.scores) == len(found.normalised.scores) == 20
    assert not np.array_equal(found.plain.reference, found.normalised.reference)


def test_a_describer_that_times_itself_is_not_timed_again() -> None:
    watch = Stopwatch(seconds=3.0, pictures=2)
    system = multigrain_system(describer(4), dims=4, hardware="", device="cpu", watch=watch)
    system.learn(pictures("training", 50))
    assert (system.watch.seconds, system.watch.pictures) == (3.0, 2)


def test_dimensions_give_way_to_pictures_that_cannot_be_read() -> None:
    system = multigrain_system(describer(8), dims=8, hardware="", fewer=True, device="cpu")
    system.learn(pictures("training", 6))
    assert system.dims == 5
    assert system.describe(pictures("queries", 3)).vectors.shape == (3, 5)
    system = multigrain_system(describer(8), dims=4, hardware="", fewer=True, device="cpu")
    system.learn(pictures("training", 6))
    assert system.dims == 4


def test_too_few_training_pictures() -> None:
    system = multigrain_system(describer(8), dims=8, hardware="", device="cpu")
    with pytest.raises(UserError, match="8 dimensions needs at least 9 training pictures, got 7"):
        system.learn(pictures("training", 7))
