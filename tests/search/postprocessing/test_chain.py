"""The chain: what it does, that it can be saved, and that it never mixes training sets."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search.postprocessing import stretching
from sscd.search.postprocessing.chain import PostProcessing, TrainingSet
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import Projection
from sscd.search.postprocessing.stretching import stretch

NORM, PUSH = Neighbourhood(1.0, 0, 2), Neighbourhood(0.35, 0, 9)


def unit(count: int, *, seed: int, dims: int = 12) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dims)) + 0.5
    result: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result.astype(np.float32)


def whole_chain() -> tuple[PostProcessing, TrainingSet]:
    projection = Projection.fit(unit(100, seed=0), kind="whiten", dims=11)
    training = TrainingSet(projection.apply(unit(100, seed=0)), "f" * 16)
    return PostProcessing(
        projection, PUSH, NORM, training.fingerprint, "a" * 16, "32 square"
    ), training


def test_stretching_by_hand() -> None:
    training = np.array([[1, 0], [0, 1]], np.float32)
    got = stretch(np.array([[0.6, 0.8]], np.float32), training, Neighbourhood(0.5, 0, 0))
    expected = np.array([0.6, 0.3]) / np.hypot(0.6, 0.3)
    np.testing.assert_allclose(got[0], expected, atol=1e-6)
    both = stretch(training, training, Neighbourhood(0.4, 0, 1))
    np.testing.assert_allclose(both[0], np.array([0.8, -0.2]) / np.hypot(0.8, 0.2), atol=1e-6)


def test_stretching_keeps_unit_norm_and_what_has_no_direction() -> None:
    vectors, training = unit(50, seed=1), unit(80, seed=2)
    got = stretch(vectors, training, PUSH)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-6)
    assert not np.allclose(got, vectors, atol=0.01)
    same = stretch(training[:3], training, Neighbourhood(1.0, 0, 0))
    assert np.array_equal(same, training[:3])


def test_stretching_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, training = unit(50, seed=1), unit(80, seed=2)
    whole = stretch(vectors, training, PUSH)
    monkeypatch.setattr(stretching, "_ROWS", 7)
    np.testing.assert_allclose(stretch(vectors, training, PUSH), whole, atol=1e-7)


def test_the_chain_is_its_steps_one_after_the_other() -> None:
    chain, training = whole_chain()
    queries = unit(20, seed=3)
    assert chain.projection is not None
    expected = stretch(chain.projection.apply(queries), training.vectors, PUSH)
    got = chain.apply(queries, "query", training=training)
    assert got.shape == (20, 12) == (20, chain.dims(12))
    np.testing.assert_allclose(got[:, :11], expected, atol=1e-6)
    references = chain.apply(queries, "reference", training=training)
    assert (references[:, 11] == 0).all()
    assert (got[:, 11] > 0).all()
    assert len(chain.steps) == 3


def test_no_step_changes_nothing() -> None:
    chain, vectors = PostProcessing(), unit(4, seed=4)
    assert chain.fingerprint == ""
    assert np.array_equal(chain.apply(vectors, "query", training=None), vectors)
    assert chain.dims(12) == 12


def test_saved_and_rebuilt_it_is_the_same() -> None:
    chain, training = whole_chain()
    again = PostProcessing.from_saved(chain.settings(), chain.arrays(), source="a.h5")
    assert again.fingerprint == chain.fingerprint
    queries = unit(5, seed=5)
    assert np.array_equal(
        chain.apply(queries, "query", training=training),
        again.apply(queries, "query", training=training),
    )


def test_any_difference_changes_the_fingerprint() -> None:
    chain, _ = whole_chain()
    others = [
        PostProcessing(chain.projection, PUSH, None, chain.training),
        PostProcessing(chain.projection, None, NORM, chain.training),
        PostProcessing(chain.projection, PUSH, Neighbourhood(1.1, 0, 2), chain.training),
        PostProcessing(None, PUSH, NORM, chain.training),
        PostProcessing(chain.projection, PUSH, NORM, "0" * 16),
        PostProcessing(chain.projection, PUSH, NORM, chain.training, "b" * 16),
        PostProcessing(chain.projection, PUSH, Neighbourhood(1 + 1e-9, 0, 2), chain.training),
        PostProcessing(
            Projection.fit(unit(99, seed=0), kind="whiten", dims=11), PUSH, NORM, chain.training
        ),
    ]
    assert len({chain.fingerprint, *(other.fingerprint for other in others)}) == 9


def test_other_training_descriptors_are_refused() -> None:
    chain, training = whole_chain()
    for wrong in (None, TrainingSet(training.vectors, "0" * 16)):
        with pytest.raises(UserError, match="same --training"):
            chain.apply(unit(2, seed=6), "query", training=wrong)


def test_damaged_settings_are_named() -> None:
    chain, _ = whole_chain()
    settings, arrays = chain.settings(), chain.arrays()
    for key in settings:
        broken = {name: value for name, value in settings.items() if name != key}
        with pytest.raises(UserError, match=f"a.h5: the post-processing lacks '{key}'"):
            PostProcessing.from_saved(broken, arrays, source="a.h5")
    for wrong in ({}, {"mean": arrays["mean"]}, {**arrays, "matrix": arrays["matrix"] * np.nan}):
        with pytest.raises(UserError, match="'whiten' is damaged"):
            PostProcessing.from_saved(settings, wrong, source="a.h5")
    with pytest.raises(UserError, match=r"a\.h5: score_norm"):
        PostProcessing.from_saved({**settings, "score_norm": "1"}, arrays, source="a.h5")
