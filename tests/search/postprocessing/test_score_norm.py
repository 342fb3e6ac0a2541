"""Score normalisation inside L2 against the two-step computation in float64."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sscd.errors import UserError
from sscd.search.knn import nearest
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.score_norm import (
    embed_queries,
    embed_references,
    normalised_scores,
    query_biases,
)

TOLERANCE = 2e-6
NORMS = [
    Neighbourhood(1.0, 0, 2),  # SSCD
    Neighbourhood(2.0, 9, 9),  # DISC21's Multigrain and HOW
    Neighbourhood(0.5, 9, 9),  # DISC21's GIST
    Neighbourhood(0.0, 0, 0),
    Neighbourhood(0.37, 1, 4),
    Neighbourhood(4.0, 0, 0),
]


def unit(count: int, *, seed: int, dims: int = 255) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dims))
    result: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result.astype(np.float32)


def two_steps(
    queries: NDArray[np.float32],
    references: NDArray[np.float32],
    training: NDArray[np.float32],
    norm: Neighbourhood,
) -> NDArray[np.float64]:
    """The definition: cosine similarities in float64, minus β times the mean of sorted ones."""
    q, r, t = (x.astype(np.float64) for x in (queries, references, training))
    q, r = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (q, r))
    ordered = -np.sort(-(q @ t.T), axis=1)
    bias = norm.weight * ordered[:, norm.first : norm.last + 1].mean(axis=1)
    return np.asarray(q @ r.T - bias[:, None])


def inside_l2(
    queries: NDArray[np.float32],
    references: NDArray[np.float32],
    training: NDArray[np.float32],
    norm: Neighbourhood,
) -> NDArray[np.float64]:
    """Scores out of plain L2 search of the embedded descriptors, in the order of the references."""
    q, r = embed_queries(queries, training, norm, device="cpu"), embed_references(references)
    assert q.dtype == r.dtype == np.float32
    assert q.shape[1] == r.shape[1] == queries.shape[1] + 1 <= 256
    found = nearest(q, r, k=len(r), device="cpu")
    scores = np.empty(found.scores.shape, np.float32)
    np.put_along_axis(scores, found.indices, found.scores, axis=1)
    return normalised_scores(scores, norm)


def check(
    queries: NDArray[np.float32],
    references: NDArray[np.float32],
    training: NDArray[np.float32],
    norm: Neighbourhood,
) -> None:
    expected = two_steps(queries, references, training, norm)
    got = inside_l2(queries, references, training, norm)
    assert np.abs(got - expected).max() <= TOLERANCE
    # The order over all pairs of all queries, wherever two scores differ by more.
    order = np.argsort(-got, axis=None, kind="stable")
    ranked = expected.ravel()[order]
    highest_after = np.maximum.accumulate(ranked[::-1])[::-1]
    assert (highest_after - ranked).max() <= 2 * TOLERANCE


@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_equals_the_two_step_computation(norm: Neighbourhood) -> None:
    references, training = unit(300, seed=0), unit(500, seed=1)
    noise = unit(60, seed=2)
    near = references[:60] + np.linspace(0, 3, 60)[:, None] * noise
    queries = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    check(queries, references, training, norm)


@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_equals_it_at_the_extremes(norm: Neighbourhood) -> None:
    """Queries equal and opposite to training descriptors and references: n(q) from −1 to 1."""
    base = unit(1, seed=3)
    training = np.repeat(base, 12, axis=0)
    others = unit(20, seed=4)
    queries = np.concatenate([base, -base, others])
    references = np.concatenate([base, -base, others[:5], unit(20, seed=5)])
    check(queries, references, training, norm)


def test_in_float64_the_file_itself_is_closer() -> None:
    queries, references, training = unit(40, seed=6), unit(90, seed=7), unit(200, seed=8)
    norm = Neighbourhood(2.0, 9, 9)
    q = embed_queries(queries, training, norm, device="cpu").astype(np.float64)
    r = embed_references(references).astype(np.float64)
    l2 = -np.square(q[:, None] - r[None]).sum(axis=2)
    expected = two_steps(queries, references, training, norm)
    assert np.abs(normalised_scores(l2, norm) - expected).max() < 5e-7


def test_biases_do_not_depend_on_other_queries() -> None:
    queries, training = unit(30, seed=9), unit(50, seed=10)
    norm = Neighbourhood(1.0, 0, 2)
    alone = [embed_queries(q[None], training, norm, device="cpu") for q in queries]
    together = embed_queries(queries, training, norm, device="cpu")
    np.testing.assert_allclose(np.concatenate(alone), together, atol=1e-7)


def test_hand_computed() -> None:
    training = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    queries = np.array([[0.6, 0.8]], np.float32)
    norm = Neighbourhood(0.5, 0, 1)
    assert query_biases(queries, training, norm) == pytest.approx([0.5 * 0.7])
    embedded = embed_queries(queries, training, norm)
    assert embedded[0] == pytest.approx([0.6, 0.8, np.sqrt(2 * 0.5 * (0.7 + 1))])
    assert embed_references(training)[2].tolist() == [-1, 0, 0]


def test_refuses() -> None:
    queries, training = unit(3, seed=11), unit(5, seed=12)
    with pytest.raises(UserError, match=r"needs 10 training descriptors, got 5"):
        embed_queries(queries, training, Neighbourhood(1.0, 9, 9))
    queries[1] = 0
    with pytest.raises(ValueError, match="query row 1 has length 0"):
        embed_queries(queries, training, Neighbourhood(1.0, 0, 0))
    with pytest.raises(ValueError, match="reference row 0 has length 2"):
        embed_references(np.full((1, 4), 1.0, np.float32))
    queries[1] = np.nan
    with pytest.raises(ValueError, match="query row 1 has length nan"):
        embed_queries(queries, training, Neighbourhood(1.0, 0, 0))
